"""What is on disk: examples in a database, trained heads in generations, and a profile that holds both.

Read in this order: schema, database, media, examples, batch, moments, boots, sessions, read_rows, pictures;
generations, profile, embedders, tuning, settings; folders, box_files, backup; layouts, of other programs.
"""
