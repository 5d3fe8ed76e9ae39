"""From places to files: the sheet, its marks, and a writer for each format."""
