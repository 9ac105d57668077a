token = "secret-that-is-not-closed
