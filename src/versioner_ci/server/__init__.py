"""The embedded tracker: the API that events go to, the Slack routing and the pages. Needs the extra `server`."""
