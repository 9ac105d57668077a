# Alpine Linux on a Raspberry Pi 3, 4, 5 or Zero 2, 64 bit, installed to the card
#
#     slipway build raspberrypi-alpine.pkr.hcl

variable "image_url" {
  type        = string
  default     = "https://dl-cdn.alpinelinux.org/alpine/v3.22/releases/aarch64/alpine-minirootfs-3.22.1-aarch64.tar.gz"
  description = "Alpine's small root file system"
}

variable "checksum_url" {
  type        = string
  default     = "https://dl-cdn.alpinelinux.org/alpine/v3.22/releases/aarch64/alpine-minirootfs-3.22.1-aarch64.tar.gz.sha256"
  description = "A file with its digest"
}

variable "hostname" {
  type        = string
  default     = "alpine"
  description = "Name of the machine"
}

variable "user" {
  type        = string
  default     = "alpine"
  description = "Who logs in; made if the image has nobody of that name"
}

variable "ssh_key" {
  type        = string
  default     = ""
  description = "Public key of that user; left empty, yours is taken: ~/.ssh/id_ed25519.pub or id_rsa.pub"
}

variable "password_hash" {
  type        = string
  default     = ""
  description = "For the console, as `openssl passwd -6` prints it; left empty, there is none"
  sensitive   = true
}

variable "packages" {
  type        = list(string)
  default     = []
  description = "Packages to install"
}

variable "image_size" {
  type        = string
  default     = "1G"
  description = "Size of the image; the root file system takes the rest of it"
}

variable "output" {
  type        = string
  default     = "raspberrypi-alpine.img"
  description = "The image that is made"
}

locals {
  own_keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"]
  ssh_key  = var.ssh_key != "" ? var.ssh_key : try(file(pathexpand(local.own_keys[0])), file(pathexpand(local.own_keys[1])), "")
}

source "arm" "alpine" {
  file_urls          = [var.image_url]
  file_checksum_url  = var.checksum_url
  file_checksum_type = "sha256"
  image_build_method = "new"
  image_path         = var.output
  image_size         = var.image_size

  # A table of our own, since the base is an archive of the root file system.
  image_type = "dos"
  image_partitions {
    name       = "boot"
    type       = "c"
    size       = "512MiB"
    filesystem = "vfat"
    mountpoint = "/boot"
  }
  image_partitions {
    name       = "root"
    type       = "83"
    size       = "0" # the rest
    filesystem = "ext4"
    mountpoint = "/"
  }
}

build {
  sources = ["source.arm.alpine"]

  provisioner "shell" {
    env = {
      NEW_HOSTNAME  = var.hostname
      NEW_USER      = var.user
      SSH_KEY       = trimspace(local.ssh_key)
      PASSWORD_HASH = var.password_hash
      PACKAGES      = join(" ", var.packages)
    }
    inline = [<<-EOT
      # A system that starts: init scripts, the kernel, the Raspberry Pi's firmware in /boot.
      apk update
      apk add alpine-base linux-rpi raspberrypi-bootloader openssh chrony doas $PACKAGES

      echo "$NEW_HOSTNAME" >/etc/hostname
      echo "127.0.1.1 $NEW_HOSTNAME" >>/etc/hosts
      printf '%s\n' 'auto lo' 'iface lo inet loopback' 'auto eth0' 'iface eth0 inet dhcp' >/etc/network/interfaces
      printf '%s\n' '/dev/mmcblk0p2 / ext4 defaults,noatime 0 1' '/dev/mmcblk0p1 /boot vfat defaults 0 2' >/etc/fstab

      # Where the firmware finds the kernel, and the kernel its root.
      printf '%s\n' 'arm_64bit=1' 'enable_uart=1' 'kernel=vmlinuz-rpi' 'initramfs initramfs-rpi' >/boot/config.txt
      echo 'root=/dev/mmcblk0p2 rootfstype=ext4 rootwait modules=ext4 console=serial0,115200 console=tty1' >/boot/cmdline.txt

      for service in devfs dmesg mdev hwdrivers; do rc-update add $service sysinit; done
      for service in modules sysctl hostname bootmisc syslog swclock; do rc-update add $service boot; done
      for service in networking sshd chronyd; do rc-update add $service default; done
      for service in mount-ro killprocs savecache; do rc-update add $service shutdown; done

      # The user, who becomes root by doas.
      id "$NEW_USER" >/dev/null 2>&1 || adduser -D "$NEW_USER"
      mkdir -p /etc/doas.d
      echo "permit nopass $NEW_USER" >/etc/doas.d/user.conf
      hash=$PASSWORD_HASH
      echo "$NEW_USER:$${hash:-*}" | chpasswd -e
      if [ -n "$SSH_KEY" ]; then
        mkdir -p "/home/$NEW_USER/.ssh"
        echo "$SSH_KEY" >"/home/$NEW_USER/.ssh/authorized_keys"
        chmod 700 "/home/$NEW_USER/.ssh"
        chmod 600 "/home/$NEW_USER/.ssh/authorized_keys"
        chown -R "$NEW_USER:" "/home/$NEW_USER/.ssh"
      fi
    EOT
    ]
  }
}
