"""The stream side of an instance, on Faust: apps, tables, the record guard and the processors."""
