result_type = map(map(object({
  x = string
})))
result = {
  k = {
    l = {
      x = "1"
    }
    m = {
      x = null
    }
  }
  z = {
    l = {
      x = null
    }
  }
}
