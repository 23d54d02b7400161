"""What every part of the simulator speaks: requests, routes, numbers and times, limits."""
