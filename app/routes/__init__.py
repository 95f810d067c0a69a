"""One file per resource, named like the resource."""
