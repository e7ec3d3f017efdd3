"""The stream side of an instance, on Faust: app, tables, record guard and processors."""
