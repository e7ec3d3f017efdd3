"""The push service: the devices' channels, and the challenges that wait for an answer."""
