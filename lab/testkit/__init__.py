"""A person with a browser and a phone, for each program that plays one."""
