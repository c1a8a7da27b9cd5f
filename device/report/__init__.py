"""The report: one HTML page that needs nothing beside itself. contents gathers, page writes; svg and pictures draw."""
