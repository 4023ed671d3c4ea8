"""For tests of users: deploys of their apps, engines for their unit tests, and the plug-in of pytest with both."""
