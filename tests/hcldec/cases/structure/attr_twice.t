diagnostics {
  error {
    # Attribute redefined
    from {
      line   = 2
      column = 1
      byte   = 8
    }
    to {
      line   = 2
      column = 2
      byte   = 9
    }
  }
}
