host "a" {}
host "b" {}
host "a" {}
