"""One file per way to fit an `ItemItemModel`."""
