"""How the database came to be what it is, step by step; `Database.migrate` takes the steps that are missing."""
