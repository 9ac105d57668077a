host "b" {
  ip = "10.0.0.2"
}
host "a" {
  ip = "10.0.0.1"
}
