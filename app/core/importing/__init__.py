"""What players did, from files: read in one of four formats, checked row by row, written batch by batch."""
