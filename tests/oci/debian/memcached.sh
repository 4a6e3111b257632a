# memcached on loopback TCP, UDP and a path: threads of its own, big values, many clients, statistics.
exec 2>&1
export LC_ALL=C
cd /tmp
memcached -u nobody -l 127.0.0.1 -p 11211 -U 11211 -t 4 -m 32 & tcp=$!
memcached -u nobody -s /tmp/memcached.sock -a 777 -t 2 & path=$!
python3 - <<'END'
import socket, threading, time

def connected(family, where):
    for _ in range(400):
        sock = socket.socket(family)
        try:
            sock.connect(where)
            return sock.makefile('rwb')
        except OSError:
            sock.close()
            time.sleep(0.05)
    raise SystemExit(f'no server at {where}')

def ask(file, text, lines=1):
    file.write(text)
    file.flush()
    return [file.readline() for _ in range(lines)]

PLACES = [(socket.AF_INET, ('127.0.0.1', 11211)), (socket.AF_UNIX, '/tmp/memcached.sock')]
for place in PLACES:
    file = connected(*place)
    print(ask(file, b'version\r\n')[0].split()[0])
    print(ask(file, b'set one 7 0 5\r\nhello\r\n'), ask(file, b'get one\r\n', 3), ask(file, b'get none\r\n'))
    print(ask(file, b'add one 0 0 1\r\nx\r\n'), ask(file, b'append one 0 0 1\r\n!\r\n'), ask(file, b'gets one\r\n', 3)[1:])
    print(ask(file, b'set n 0 0 1\r\n5\r\n'), ask(file, b'incr n 37\r\n'), ask(file, b'delete n\r\n'), ask(file, b'incr n 1\r\n'))
    big = bytes(range(65, 91)) * 30000
    print(ask(file, b'set big 0 0 %d\r\n%s\r\n' % (len(big), big)))
    print(ask(file, b'get big\r\n'), file.read(len(big) + 2) == big + b'\r\n', file.readline())
    print(ask(file, b'nonsense\r\n'), ask(file, b'set huge 0 0 2000000\r\n' + b'x' * 2000000 + b'\r\n'))

def client(n, place, wrong):
    file = connected(*place)
    for m in range(100):
        ask(file, b'set k%d.%d 0 0 4\r\n%04d\r\n' % (n, m, m))
        if ask(file, b'get k%d.%d\r\n' % (n, m), 3)[1] != b'%04d\r\n' % m:
            wrong.append((n, m))

for place in PLACES:
    wrong = []
    clients = [threading.Thread(target=client, args=(n, place, wrong)) for n in range(20)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    print(wrong)

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(20)
sock.connect(PLACES[0][1])
sock.send(b'\x12\x34\x00\x00\x00\x01\x00\x00get one\r\n')
print(sock.recv(2000))
END
kill "$tcp" "$path"; wait "$tcp"; echo $?; wait "$path"; echo $?
