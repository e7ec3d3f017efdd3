"""The login service alone, at the one instance of a package: its pages read by a text browser, its phones played."""
