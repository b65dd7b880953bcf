"""The frames that plugins run in: `document` is what stands in one, `places` where one goes."""
