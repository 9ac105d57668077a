root    = "root"
loaders = "loaders"
network "lab" {
  interface = "eth0"
  address   = "10.77.0.1/24"
  range     = ["10.77.0.100", "10.77.0.200"]
  router    = "10.77.0.1"
  domain    = "example.org"
}
profile "installer" {
  kernel    = "/debian/linux"
  initrd    = ["debian/initrd.gz", "more.cpio"]
  cmdline   = "auto=true url=${answers.preseed} d=\"a b\" q='x' c=$HOME;"
  variables = { packages = ["ssh"], note = "common" }
  answers "preseed" {
    template = "preseed.tmpl"
  }
  answers "public" {
    text = "${machine.name}|${var.note}|${client.host_name}|${server.http}|${network.router}|${network.domain}|${network.prefix}|${machine.known}\n"
  }
  answers "known" {
    text       = "for ${machine.name}"
    known_only = true
  }
  answers "raw" {
    file = "preseed.tmpl"
  }
  answers "missing" {
    text = var.missing
  }
}
profile "nfs" {
  kernel = "debian/linux"
  root "nfs" {
    path = "/srv"
  }
}
profile "nfs-dracut" {
  kernel    = "debian/linux"
  initramfs = "dracut"
  root "nfs" {
    path     = "/srv"
    server   = "10.77.0.7"
    options  = "vers=4"
    writable = true
  }
}
profile "nfs-live" {
  kernel    = "debian/linux"
  initramfs = "live-boot"
  root "nfs" {
    path = "/srv"
  }
}
profile "nbd" {
  kernel  = "debian/linux"
  cmdline = "quiet"
  root "nbd" {
    path = "debian.img"
  }
}
profile "nbd-port" {
  kernel = "debian/linux"
  root "nbd" {
    path     = "debian.img"
    port     = 10810
    export   = "deb"
    writable = true
  }
}
profile "nbd-dracut" {
  kernel    = "debian/linux"
  initramfs = "dracut"
  root "nbd" {
    path = "debian.img"
  }
}
profile "nbd-dracut-port" {
  kernel    = "debian/linux"
  initramfs = "dracut"
  root "nbd" {
    path = "debian.img"
    port = 10810
  }
}
profile "squashfs" {
  kernel = "debian/linux"
  root "squashfs" {
    path = "live/filesystem.squashfs"
  }
}
profile "squashfs-dracut" {
  kernel    = "debian/linux"
  initramfs = "dracut"
  root "squashfs" {
    path = "http://elsewhere/x.squashfs"
  }
}
profile "outside" {
  kernel = "../${machine.name}"
}
machine "out" {
  mac     = "52:54:00:00:00:09"
  profile = profile.outside
}
profile "san" {
  san = "iscsi:10.77.0.1::::iqn.2026-11.org.example:x"
}
profile "san-fcoe" {
  san = "fcp:20:00:00:1f:16:bc:fe:2f:0"
}
profile "san-kernel" {
  kernel  = "debian/linux"
  cmdline = "root=LABEL=r"
  san     = "iscsi:10.77.0.1::::iqn.2026-11.org.example:x"
}
profile "own" {
  boot = { bios = "pxelinux.0" }
}
profile "pi" {
  firmware   = "firmware"
  kernel     = "debian/linux"
  initrd     = "debian/initrd.gz"
  cmdline    = "console=serial0,115200"
  config_txt = "dtparam=audio=on # ${machine.name}"
}
profile "pi-image" {
  image = "root/debian/linux"
}
profile "pi-plain" {
  firmware = "firmware"
  root "nfs" {
    path = "/srv"
  }
}
machine "m1" {
  mac       = "52:54:00:00:00:01"
  address   = "10.77.0.11"
  profile   = profile.installer
  secrets   = { password = "s3cret" }
  variables = { note = "own" }
}
machine "pi4" {
  mac     = "dc:a6:32:00:00:04"
  serial  = "0000000a"
  profile = profile.pi
}
machine "pi5" {
  mac     = "d8:3a:dd:00:00:05"
  serial  = "0000000b"
  profile = profile.pi-image
}
machine "pi3" {
  mac     = "b8:27:eb:00:00:03"
  address = "10.77.0.13"
  profile = profile.pi-plain
}
machine "own" {
  mac     = "52:54:00:00:00:08"
  profile = profile.own
}
default_profile = profile.local-disk
folders         = { more = "firmware", "more/still" = "loaders" }
