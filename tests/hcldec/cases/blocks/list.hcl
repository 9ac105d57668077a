service "web" "a" {
  port = 80
}
service "web" "b" {
  port = "81"
  note = "x"
}
