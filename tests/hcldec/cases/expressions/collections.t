diagnostics {
  error {
    # Invalid legacy index syntax
    from {
      line   = 16
      column = 21
      byte   = 283
    }
    to {
      line   = 16
      column = 24
      byte   = 286
    }
  }
}
