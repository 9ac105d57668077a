# What the captured clients of ../pcaps are answered from.
root = "."

network "lab" {
  interface  = "eth0"
  address    = "10.77.0.1/24"
  mode       = "MODE"
  range      = ["10.77.0.100", "10.77.0.200"]
  router     = "10.77.0.1"
  dns        = ["10.77.0.53"]
  domain     = "lab.example"
  lease_time = "10m"
}

profile "own" {
  boot = {
    bios            = "pxelinux.0"
    uefi-x64        = "grubx64.efi"
    uefi-arm64      = "grubaa64.efi"
    uefi-x64-http   = "grubx64-http.efi"
    uefi-arm64-http = "grubaa64-http.efi"
    u-boot-arm64    = "boot.scr.uimg"
    ipxe            = "boot.ipxe"
  }
}

machine "rack1" {
  mac     = "52:54:00:77:01:11"
  address = "10.77.0.11"
}

default_profile = profile.own
