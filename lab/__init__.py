"""Programs that try Countersign: chaos, load, demo, and the test people that they share. Not part of the product."""
