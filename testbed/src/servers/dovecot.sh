# Runs Dovecot where it finds its own programs under /usr and its own users: called inside new mount and process namespaces,
# with the folder of its files and the folder that Debian's packages were unpacked into. This shell stays the first process
# of the namespace: the kernel's promise to kill it with its starter is lost by a program that changes its user.
set -e
home=$1 unpacked=$2
mount -t tmpfs -o mode=755 none /run
mkdir /run/vigia /run/vigia/base /run/vigia/control /run/vigia/home
chown 65534:65534 /run/vigia/control /run/vigia/home
cp "$home/dovecot.conf" /run/vigia
mount -t overlay none -o "lowerdir=$unpacked/usr:/usr" /usr
sed '/^vigia-/d' /etc/passwd >/run/vigia/passwd
sed '/^vigia-/d' /etc/group >/run/vigia/group
echo "vigia-dovecot:x:65533:65533::/:/bin/false" >>/run/vigia/passwd
echo "vigia-login:x:65532:65533::/:/bin/false" >>/run/vigia/passwd
echo "vigia-dovecot:x:65533:" >>/run/vigia/group
mount --bind /run/vigia/passwd /etc/passwd
mount --bind /run/vigia/group /etc/group
mount --bind "$home/maildir" /var/mail
/usr/sbin/dovecot -F -c /run/vigia/dovecot.conf &
wait "$!"
