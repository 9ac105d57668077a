# Arch Linux ARM on a Raspberry Pi 3, 4 or Zero 2, 64 bit
#
#     slipway build raspberrypi-archlinuxarm.pkr.hcl
#
# Arch Linux ARM publishes md5 digests only, over http.

variable "image_url" {
  type        = string
  default     = "http://os.archlinuxarm.org/os/ArchLinuxARM-rpi-aarch64-latest.tar.gz"
  description = "Arch Linux ARM, which is renewed under the same name"
}

variable "checksum_url" {
  type        = string
  default     = "http://os.archlinuxarm.org/os/ArchLinuxARM-rpi-aarch64-latest.tar.gz.md5"
  description = "A file with its digest"
}

variable "hostname" {
  type        = string
  default     = "alarm"
  description = "Name of the machine"
}

variable "user" {
  type        = string
  default     = "alarm"
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
  default     = "4G"
  description = "Size of the image; the root file system takes the rest of it"
}

variable "output" {
  type        = string
  default     = "raspberrypi-archlinuxarm.img"
  description = "The image that is made"
}

locals {
  own_keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"]
  ssh_key  = var.ssh_key != "" ? var.ssh_key : try(file(pathexpand(local.own_keys[0])), file(pathexpand(local.own_keys[1])), "")
}

source "arm" "archlinuxarm" {
  file_urls          = [var.image_url]
  file_checksum_url  = var.checksum_url
  file_checksum_type = "md5"
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
  sources = ["source.arm.archlinuxarm"]

  provisioner "shell" {
    env = {
      NEW_HOSTNAME  = var.hostname
      NEW_USER      = var.user
      SSH_KEY       = trimspace(local.ssh_key)
      PASSWORD_HASH = var.password_hash
      PACKAGES      = join(" ", var.packages)
    }
    inline = [<<-EOT
      # The name, also where it is looked up without a network.
      echo "$NEW_HOSTNAME" >/etc/hostname
      sed -i '/^127\.0\.1\.1/d' /etc/hosts
      echo "127.0.1.1 $NEW_HOSTNAME" >>/etc/hosts

      # The card's partitions, on any of the models.
      echo '/dev/mmcblk0p1 /boot vfat defaults 0 0' >/etc/fstab

      # Keys of the packages, then the packages.
      pacman-key --init
      pacman-key --populate archlinuxarm
      pacman -Sy --noconfirm --needed sudo $PACKAGES
      mkdir -p /etc/sudoers.d

      # The user, with sudo, since there may be no password to type.
      id "$NEW_USER" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$NEW_USER"
      echo "$NEW_USER ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/010_$NEW_USER"
      chmod 440 "/etc/sudoers.d/010_$NEW_USER"
      [ -z "$PASSWORD_HASH" ] || echo "$NEW_USER:$PASSWORD_HASH" | chpasswd -e
      if [ -n "$SSH_KEY" ]; then
        home=$(awk -F: -v user="$NEW_USER" '$1 == user { print $6 }' /etc/passwd)
        mkdir -p "$home/.ssh"
        echo "$SSH_KEY" >"$home/.ssh/authorized_keys"
        chmod 700 "$home/.ssh"
        chmod 600 "$home/.ssh/authorized_keys"
        chown -R "$NEW_USER:" "$home/.ssh"
      fi
    EOT
    ]
  }
}
