# Runs Exim where it sees no file of the machine's own mail system: called inside new mount and process namespaces,
# with the folder of its files, the program and the two ports. This shell stays the first process of the namespace: the
# kernel's promise to kill it with its starter is lost by a program that changes its user, as Exim does.
set -e
home=$1 program=$2 port=$3 implicit_port=$4
# The user of this name is built into Debian's Exim; the package, which would make it, is not installed. 65534 is nobody.
user=65534
mount -t tmpfs -o mode=755 none /var/spool
mkdir /var/spool/vigia /var/spool/vigia/spool
cp "$home/exim.conf" "$home/certificate.pem" "$home/key.pem" /var/spool/vigia
cp "$program" /var/spool/vigia/exim
cd /var/spool/vigia
chown -R "$user:$user" spool certificate.pem key.pem
sed '/^Debian-exim:/d' /etc/passwd >passwd
sed '/^Debian-exim:/d' /etc/group >group
echo "Debian-exim:x:$user:$user::/:/bin/false" >>passwd
echo "Debian-exim:x:$user:" >>group
mount --bind passwd /etc/passwd
mount --bind group /etc/group
mount --bind "$home/maildir" /var/mail
./exim -C /var/spool/vigia/exim.conf -bdf -oX "127.0.0.1.$port : 127.0.0.1.$implicit_port" &
wait "$!"
