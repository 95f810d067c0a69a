"""Commands that stand together, a file for each noun; `training.__main__` puts them under one roof."""
