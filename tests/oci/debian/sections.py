"""Python's threads, processes, signals, memory maps, foreign functions and event loop."""
import asyncio, ctypes, ctypes.util, concurrent.futures, fcntl, io, mmap, multiprocessing, os, queue, resource, select, shutil
import signal, stat, struct, subprocess, sys, tempfile, termios, threading, time, errno, selectors, pathlib, glob, hashlib


def section(name):
    print('==', name, flush=True)


def threads():
    total, lock = 0, threading.Lock()

    def add():
        nonlocal total
        for _ in range(2000):
            with lock:
                total += 1
    many = [threading.Thread(target=add) for _ in range(16)]
    [one.start() for one in many]
    [one.join() for one in many]
    print(total, threading.active_count())
    box, done = queue.Queue(5), []
    def eat():
        while (item := box.get()) is not None:
            done.append(item)
    eaters = [threading.Thread(target=eat) for _ in range(3)]
    [one.start() for one in eaters]
    [box.put(number) for number in range(500)]
    [box.put(None) for _ in eaters]
    [one.join() for one in eaters]
    print(sorted(done) == list(range(500)))
    event, barrier, turns = threading.Event(), threading.Barrier(4), []
    threading.Timer(0.02, event.set).start()
    print(event.wait(5), event.is_set(), threading.Event().wait(0.02))
    condition = threading.Condition()
    def turn(number):
        with condition:
            condition.wait_for(lambda: len(turns) == number)
            turns.append(number)
            condition.notify_all()
        barrier.wait()
    many = [threading.Thread(target=turn, args=(number,)) for number in (3, 1, 0, 2)]
    [one.start() for one in many]
    [one.join() for one in many]
    print(turns)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        print(sum(pool.map(lambda n: n * n, range(200))))
    local = threading.local(); local.x = 1
    one = threading.Thread(target=lambda: print(hasattr(local, 'x'))); one.start(); one.join()
    print(threading.get_native_id() == os.getpid())


def processes():
    print(subprocess.run(['echo', 'a b'], capture_output=True, text=True).stdout.strip())
    print(subprocess.run('echo $0; exit 3', shell=True).returncode)
    child = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    big = os.urandom(1 << 20)
    out, _ = child.communicate(big)
    print(out == big, child.returncode)
    child = subprocess.Popen(['sleep', '20'], start_new_session=True)
    print(os.getsid(child.pid) == child.pid)
    child.terminate(); print(child.wait())
    try:
        subprocess.run(['sleep', '9'], timeout=0.05)
    except subprocess.TimeoutExpired as late:
        print(type(late).__name__)
    for words in (['/nonexistent'], ['/etc/passwd'], ['/tmp']):
        try:
            subprocess.run(words)
        except OSError as error:
            print(errno.errorcode[error.errno])
    pipeline = subprocess.Popen('seq 100 | grep 7 | wc -l', shell=True, stdout=subprocess.PIPE, text=True)
    print(pipeline.stdout.read().strip(), pipeline.wait())
    print(subprocess.run(['sh', '-c', 'ulimit -n'], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (77, 77)), capture_output=True).stdout)
    reader, writer = os.pipe()
    child = subprocess.Popen(['sh', '-c', f'echo through >&{writer}'], pass_fds=[writer]); os.close(writer); child.wait()
    print(os.read(reader, 100)); os.close(reader)
    pid = os.posix_spawn('/bin/sh', ['sh', '-c', 'exit 6'], os.environ)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    pid = os.fork()
    if pid == 0:
        os._exit(9)
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(info.si_status, info.si_code == os.CLD_EXITED, os.waitpid(pid, 0)[0] == pid)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        print('ECHILD')


def work(number):
    return number * 2


def fill(shared, value, lock, items):
    for place in range(len(shared)):
        shared[place] = place * place
    with lock:
        value.value += 1
    items.put(os.getpid() != 0)


def pooled(methods=('fork', 'spawn')):
    for method in methods:
        context = multiprocessing.get_context(method)
        with context.Pool(3) as pool:
                print(method, pool.map(work, range(10)))
        shared, value, lock, items = context.Array('i', 5), context.Value('i', 0), context.Lock(), context.Queue()
        many = [context.Process(target=fill, args=(shared, value, lock, items)) for _ in range(3)]
        [one.start() for one in many]
        got = [items.get(timeout=30) for _ in many]
        [one.join() for one in many]
        print(list(shared), value.value, got, [one.exitcode for one in many])
    here, there = multiprocessing.Pipe(duplex=False)
    there.send({'a': [1, 2]}); print(here.poll(1), here.recv())
    from multiprocessing import shared_memory
    block = shared_memory.SharedMemory(create=True, size=4096)
    def child():
        other = shared_memory.SharedMemory(block.name); other.buf[:5] = b'hello'; other.close()
    one = multiprocessing.get_context('fork').Process(target=child); one.start(); one.join()
    print(bytes(block.buf[:5])); block.close(); block.unlink()
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(work, [5, 6, 7])))


def signals():
    got = []
    signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    os.kill(os.getpid(), signal.SIGUSR1); print(got)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGUSR1); print(len(got), signal.sigpending())
    print(signal.sigtimedwait({signal.SIGUSR1}, 1).si_signo, signal.sigtimedwait({signal.SIGUSR1}, 0.01))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    signal.signal(signal.SIGALRM, lambda *_: got.append('alarm'))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    while got.count('alarm') < 3:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0); print('alarms')
    def late(*_):
        raise InterruptedError('handler')
    signal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        time.sleep(5)
    except InterruptedError as error:
        print(error)
    reader, writer = os.pipe(); os.set_blocking(writer, False); signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGUSR2, lambda *_: None); signal.raise_signal(signal.SIGUSR2)
    print(os.read(reader, 10)); signal.set_wakeup_fd(-1)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1); print(len(got) > 4)
    done = subprocess.run([sys.executable, '-c', 'import ctypes; ctypes.string_at(0)']); print(done.returncode)
    done = subprocess.run([sys.executable, '-c', 'import os; os.abort()']); print(done.returncode)
    done = subprocess.run([sys.executable, '-X', 'faulthandler', '-c', 'import ctypes; ctypes.string_at(8)'], capture_output=True, text=True)
    print(done.stderr.splitlines()[0], done.returncode)
    child = subprocess.Popen([sys.executable, '-c', 'import time; print("up", flush=True); time.sleep(20)'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.readline(); child.send_signal(signal.SIGINT); print(child.communicate()[1].splitlines()[-1], child.returncode)


def memory():
    with tempfile.TemporaryFile() as file:
        file.truncate(1 << 16)
        with mmap.mmap(file.fileno(), 0) as view:
            view[0:5] = b'first'; view[-3:] = b'end'; view.flush(); print(view.find(b'end'), view.size())
            view.resize(1 << 17); print(len(view), os.fstat(file.fileno()).st_size)
        with mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_COPY) as view:
            view[:5] = b'other'
        print(os.pread(file.fileno(), 5, 0))
    shared = mmap.mmap(-1, 8192)
    if os.fork() == 0:
        shared[:6] = b'shared'; os._exit(0)
    os.wait(); print(shared[:6]); shared.madvise(mmap.MADV_DONTNEED); print(shared[:2]); shared.close()
    print(mmap.PAGESIZE, len(bytearray(300 << 20)))


def foreign():
    library = ctypes.CDLL(None, use_errno=True)
    print(library.getpid() == os.getpid(), library.close(-1), errno.errorcode[ctypes.get_errno()])
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 6)(5, 1, 4, 2, 6, 3)
    library.qsort(numbers, 6, 4, compare(lambda a, b: a[0] - b[0])); print(list(numbers))
    maths = ctypes.CDLL('libm.so.6'); maths.cos.restype = ctypes.c_double; maths.cos.argtypes = [ctypes.c_double]; print(maths.cos(0.0))
    class Point(ctypes.Structure):
        _fields_ = [('x', ctypes.c_int), ('y', ctypes.c_double)]
    print(ctypes.sizeof(Point), Point(1, 2.5).y)


def waiting():
    reader, writer = os.pipe()
    print(select.select([reader], [writer], [], 0)[1] == [writer], select.select([reader], [], [], 0.01))
    os.write(writer, b'x'); poll = select.poll(); poll.register(reader, select.POLLIN); print(poll.poll(100) == [(reader, select.POLLIN)])
    epoll = select.epoll(); epoll.register(reader, select.EPOLLIN | select.EPOLLET); print(len(epoll.poll(1)), epoll.poll(0.01))
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ, 'tag'); print(type(selector).__name__, selector.select(1)[0][0].data)
    os.close(writer); os.read(reader, 1); print(poll.poll(100)[0][1] == select.POLLHUP); os.close(reader)


async def tasks():
    async def one(number):
        await asyncio.sleep(0.001 * (number % 5)); return number
    print(sum(await asyncio.gather(*(one(number) for number in range(200)))))
    child = await asyncio.create_subprocess_exec('cat', stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print((await child.communicate(b'through cat'))[0], child.returncode)
    child = await asyncio.create_subprocess_shell('echo out; echo err >&2; exit 4', stdout=-1, stderr=-1)
    print(await child.communicate(), child.returncode)
    try:
        async with asyncio.timeout(0.02):
            await asyncio.sleep(5)
    except TimeoutError:
        print('timed out')
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, event.set); os.kill(os.getpid(), signal.SIGUSR1); await event.wait(); print('signal')
    print(await loop.run_in_executor(None, lambda: 'executor'), await asyncio.to_thread(lambda: 6 * 7))
    reader, writer = os.pipe(); got = loop.create_future()
    loop.add_reader(reader, lambda: got.set_result(os.read(reader, 10)) or loop.remove_reader(reader)); os.write(writer, b'pipe'); print(await got)


def files():
    base = pathlib.Path(tempfile.mkdtemp()); os.chdir(base)
    (base / 'a').mkdir(); (base / 'a/f').write_text('text'); (base / 'a/g.bin').write_bytes(bytes(range(256)))
    os.symlink('a/f', 'link'); os.link('a/f', 'hard')
    print(sorted(str(p.relative_to(base)) for p in base.rglob('*')), os.stat('hard').st_nlink, os.readlink('link'))
    shutil.copytree('a', 'b'); shutil.make_archive('packed', 'gztar', 'a'); shutil.unpack_archive('packed.tar.gz', 'c'); print(sorted(os.listdir('c')))
    with open('locked', 'w') as one, open('locked', 'w') as two:
        fcntl.flock(one, fcntl.LOCK_EX)
        try:
            fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('locked')
        fcntl.lockf(one, fcntl.LOCK_EX)
        print(fcntl.fcntl(one, fcntl.F_GETFD), fcntl.fcntl(one, fcntl.F_GETFL) & os.O_ACCMODE)
    file = os.open('holes', os.O_RDWR | os.O_CREAT); os.pwrite(file, b'x', 100000); print(os.fstat(file).st_size, os.lseek(file, 0, os.SEEK_END))
    os.posix_fallocate(file, 0, 200000); print(os.fstat(file).st_size); print(os.sendfile(1, os.open('a/f', os.O_RDONLY), 0, 4)); os.close(file)
    os.utime('a/f', ns=(10**18, 10**18 + 5)); print(os.stat('a/f').st_mtime_ns, time.strftime('%F', time.gmtime(os.stat('a/f').st_atime)))
    with os.scandir('.') as entries:
        print(sorted((entry.name, entry.is_dir(), entry.is_symlink()) for entry in entries))
    here = os.open('.', os.O_RDONLY | os.O_DIRECTORY); print(os.stat('a/f', dir_fd=here).st_size, os.access('a', os.W_OK), os.listdir(here) != [])
    print(stat.filemode(os.lstat('link').st_mode), os.path.realpath('link') == str(base / 'a/f'), len(os.statvfs('.')), os.umask(0o22))
    print(hashlib.sha256(open('a/g.bin', 'rb').read()).hexdigest()[:16], sorted(glob.glob('*/f'))); shutil.rmtree('b'); print(os.path.exists('b'))
    print(os.get_terminal_size.__name__, os.isatty(0), os.cpu_count() == len(os.sched_getaffinity(0)), os.getloadavg()[0] >= 0, os.uname().sysname)
    print(time.clock_gettime(time.CLOCK_MONOTONIC) <= time.monotonic(), time.get_clock_info('monotonic').resolution, time.process_time() > 0, time.thread_time() > 0)


SECTIONS = {
    'threads': threads, 'processes': processes, 'pools': pooled, 'signals': signals, 'memory': memory, 'foreign functions': foreign,
    'waiting': waiting, 'files': files, 'forkserver': lambda: pooled(['forkserver']), 'asyncio': lambda: asyncio.run(tasks()),
}

if __name__ == '__main__':
    for name in sys.argv[1:]:
        section(name)
        SECTIONS[name]()
