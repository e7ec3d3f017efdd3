"""People, phones and floors' callers, in processes apart from what measures and from what is measured."""
