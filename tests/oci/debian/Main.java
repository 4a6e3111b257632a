// Java: threads, executors, locks, collectors under load, NIO files, maps, locks and watches, processes, time.
import java.io.*;
import java.lang.ref.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.nio.file.attribute.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;
import java.util.stream.*;

public class Main {
    static void threads() throws Exception {
        var pool = Executors.newFixedThreadPool(16);
        var adder = new LongAdder(); var lock = new ReentrantLock(); var condition = lock.newCondition(); int[] turn = {0}; var order = new StringBuilder();
        var futures = new ArrayList<Future<Integer>>();
        for (int n = 0; n < 12; n++) { final int me = n; futures.add(pool.submit(() -> { for (int i = 0; i < 10000; i++) adder.increment(); lock.lock(); try { while (turn[0] != me) condition.await(); order.append(me).append(' '); turn[0]++; condition.signalAll(); } finally { lock.unlock(); } return me * me; })); }
        int sum = 0; for (var f : futures) sum += f.get(); System.out.println(order + "" + sum + " " + adder);
        pool.shutdown(); System.out.println(pool.awaitTermination(5, TimeUnit.SECONDS));
        System.out.println(IntStream.rangeClosed(1, 1_000_000).parallel().mapToLong(x -> x % 97).sum() + " " + CompletableFuture.supplyAsync(() -> 6).thenCombine(CompletableFuture.supplyAsync(() -> 7), (a, b) -> a * b).get());
        var sleeper = new Thread(() -> { try { Thread.sleep(60000); } catch (InterruptedException e) { System.out.println("interrupted"); } }); sleeper.start(); sleeper.interrupt(); sleeper.join();
        var latch = new CountDownLatch(200); for (int i = 0; i < 200; i++) new Thread(latch::countDown).start(); latch.await(); System.out.println("200 threads");
        var scheduled = Executors.newScheduledThreadPool(2); var ticks = new AtomicInteger(); var tick = scheduled.scheduleAtFixedRate(ticks::incrementAndGet, 0, 2, TimeUnit.MILLISECONDS); while (ticks.get() < 10) LockSupport.parkNanos(1_000_000); tick.cancel(false); scheduled.shutdownNow(); System.out.println("ticks");
        var monitor = new Object(); synchronized (monitor) { long t = System.nanoTime(); monitor.wait(30); System.out.println(System.nanoTime() - t >= 29_000_000); }
        System.out.println(new Exchanger<String>() == null); try { ((Object) null).hashCode(); } catch (NullPointerException e) { System.out.println("null pointer"); } try { deep(0); } catch (StackOverflowError e) { System.out.println("stack overflow"); }
    }
    static int deep(int n) { return deep(n + 1) + 1; }
    static void garbage() {
        var keep = new ArrayDeque<byte[]>(); long total = 0; for (int i = 0; i < 20000; i++) { keep.add(new byte[20000]); total += keep.size(); if (keep.size() > 500) keep.poll(); }
        var weak = new WeakReference<>(new Object()); for (int i = 0; i < 50 && weak.get() != null; i++) System.gc(); System.out.println(total + " " + (weak.get() == null));
        try { var all = new ArrayList<long[]>(); while (true) all.add(new long[1 << 24]); } catch (OutOfMemoryError e) { System.out.println("out of memory"); }
    }
    static void files() throws Exception {
        Path dir = Files.createTempDirectory("java"), a = dir.resolve("a"); Files.writeString(a, "one\ntwo\nthree\n"); System.out.println(Files.readAllLines(a) + " " + Files.size(a)); Files.createDirectories(dir.resolve("d/e")); Files.createSymbolicLink(dir.resolve("l"), Path.of("a")); Files.createLink(dir.resolve("h"), a); Files.copy(a, dir.resolve("d/c")); Files.move(dir.resolve("d/c"), dir.resolve("d/m"), StandardCopyOption.ATOMIC_MOVE);
        Files.setPosixFilePermissions(a, PosixFilePermissions.fromString("rw-r-----")); Files.setLastModifiedTime(a, FileTime.fromMillis(86400000)); System.out.println(Files.getPosixFilePermissions(a).size() + " " + Files.getLastModifiedTime(a) + " " + Files.getAttribute(a, "unix:nlink") + " " + Files.getOwner(a) + " " + Files.isSameFile(a, dir.resolve("h")));
        try (var walk = Files.walk(dir)) { System.out.println(walk.map(p -> dir.relativize(p).toString()).sorted().collect(Collectors.joining(","))); }
        try (var channel = FileChannel.open(dir.resolve("map"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var map = channel.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20); map.put(0, (byte) 7); map.put((1 << 20) - 1, (byte) 9); map.force(); var buffer = ByteBuffer.allocateDirect(1); channel.read(buffer, (1 << 20) - 1); System.out.println(buffer.get(0) + " " + channel.size());
            try (var lock = channel.lock(0, 10, false)) { System.out.println(lock.isValid()); try { channel.tryLock(5, 1, false); } catch (OverlappingFileLockException e) { System.out.println("overlapping"); } } channel.truncate(10); System.out.println(channel.size() + " " + channel.transferFrom(FileChannel.open(a), 0, 100)); }
        try { Files.readString(dir.resolve("nothing")); } catch (NoSuchFileException e) { System.out.println("no such file"); } try { Files.delete(dir); } catch (DirectoryNotEmptyException e) { System.out.println("not empty"); }
        try (var watcher = FileSystems.getDefault().newWatchService()) { dir.resolve("d").register(watcher, StandardWatchEventKinds.ENTRY_CREATE); Files.createFile(dir.resolve("d/new")); var key = watcher.poll(20, TimeUnit.SECONDS); System.out.println(key == null ? "nothing seen" : key.pollEvents().get(0).context()); }
        try (var random = new RandomAccessFile(dir.resolve("r").toFile(), "rw")) { random.setLength(5000); random.seek(4990); random.writeUTF("end"); random.seek(4990); System.out.println(random.readUTF() + random.length()); }
        var pipe = java.nio.channels.Pipe.open(); pipe.sink().write(ByteBuffer.wrap("pipe".getBytes())); var b = ByteBuffer.allocate(4); pipe.source().read(b); System.out.println(new String(b.array()));
    }
    static void processes() throws Exception {
        var p = new ProcessBuilder("sh", "-c", "cat; echo err >&2; exit 5").redirectErrorStream(true).start(); try (var out = p.outputWriter()) { out.write("fed\n"); } System.out.println(new String(p.getInputStream().readAllBytes()).replace('\n', ' ') + p.waitFor());
        var sleep = new ProcessBuilder("sleep", "30").start(); System.out.println(sleep.waitFor(20, TimeUnit.MILLISECONDS) + " " + sleep.isAlive()); sleep.destroy(); System.out.println(sleep.waitFor()); try { new ProcessBuilder("/nonexistent").start(); } catch (IOException e) { System.out.println(e.getMessage()); }
        System.out.println(ProcessHandle.current().info().command().orElse("?").endsWith("java") + " " + (ProcessHandle.allProcesses().count() > 0)); var many = ProcessBuilder.startPipeline(List.of(new ProcessBuilder("seq", "10"), new ProcessBuilder("tail", "-1"))); System.out.print(new String(many.get(1).getInputStream().readAllBytes()));
    }
    public static void main(String[] args) throws Exception {
        threads(); garbage(); files(); processes();
        System.out.println(Runtime.getRuntime().availableProcessors() > 0); System.out.println(Duration.between(Instant.EPOCH, Instant.now()).toDays() > 18000); System.out.println(System.getProperty("os.name") + " " + System.getProperty("user.name") + " " + System.getenv("HOME"));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("shutdown hook"))); sun.misc.Signal.handle(new sun.misc.Signal("USR2"), s -> System.out.println("signal " + s.getName())); sun.misc.Signal.raise(new sun.misc.Signal("USR2")); Thread.sleep(200);
    }
}
