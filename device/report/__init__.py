"""The report: one HTML page that needs nothing beside itself. contents gathers, page writes; charts, pictures draw."""
