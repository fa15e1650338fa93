# A small disk for as long as whoever asked for it lives: `small_disk.sh FOLDER BYTES`.
# The end of stdin is the end of the asker, however it came about.
trap '' PIPE
PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
if ! mount -t tmpfs -o "size=$2,mode=0755" audit-test "$1"; then
    rmdir "$1"
    exit 1
fi
echo mounted
cat >/dev/null
# A server may still be on it, and end only now.
umount -l "$1"
rmdir "$1"
