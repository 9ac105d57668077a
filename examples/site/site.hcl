# A rack of PCs and a shelf of Raspberry Pis, booted over the network:
#
#     slipway explain -site site.hcl rack1-01      # what a machine would be given, and why
#     sudo slipway serve site.hcl

root = "/srv/tftp"

folders = {
  debian = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64" # debian-installer-12-netboot-amd64
}

locals {
  rack1 = csvdecode(file("rack1.csv"))
}

local "root_password" {
  expression = env("ROOT_PASSWORD")
  sensitive  = true
}

network "lab" {
  interface = "eth0"
  address   = "192.0.2.1/24"
  range     = ["192.0.2.100", "192.0.2.200"]
  router    = "192.0.2.1"
  dns       = ["192.0.2.1"]
  domain    = "lab.example.org"

  option "time-offset" {
    value = 3600
  }
}

# Beside the building's own DHCP server.
network "offices" {
  interface = "eth1"
  mode      = "proxy"
}

profile "debian-installer" {
  kernel  = "debian/linux"
  initrd  = ["debian/initrd.gz"]
  cmdline = "auto=true priority=critical interface=auto url=${answers.preseed} --- quiet"

  variables = {
    packages = ["openssh-server"]
  }
  secrets = {
    root_password = local.root_password
  }

  answers "preseed" {
    template = "preseed.cfg.tmpl"
  }
}

# One image for many machines; each writes to a copy of its own.
profile "diskless" {
  kernel = "diskless/vmlinuz"
  initrd = "diskless/initrd.img"

  root "nbd" {
    path     = "/srv/images/diskless.img"
    writable = true
  }
}

profile "kiosk" {
  firmware = "/srv/tftp/raspios"
  cmdline  = "console=serial0,115200 quiet"

  root "nfs" {
    path = "/srv/nfs/kiosk"
  }
}

dynamic "machine" {
  for_each = { for row in local.rack1 : row.name => row }
  labels   = [machine.key]
  content {
    mac     = machine.value.mac
    address = machine.value.address
    profile = profile.debian-installer
  }
}

machine "kiosk-1" {
  serial  = "10000000abcd1234"
  profile = profile.kiosk
}

default_profile = profile.local-disk
