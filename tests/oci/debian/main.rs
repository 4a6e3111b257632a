// Rust: threads, channels, locks, scoped threads, barriers, panics, processes, files, time.
use std::{collections::HashMap, env, fs, io::{self, BufRead, Read, Seek, SeekFrom, Write}, os::unix::{fs::{FileExt, MetadataExt, PermissionsExt, symlink}, process::{CommandExt, ExitStatusExt}}, process::{Command, Stdio}};
use std::{sync::{atomic::{AtomicUsize, Ordering}, mpsc, Arc, Barrier, Condvar, Mutex, RwLock}, thread, time::{Duration, Instant, SystemTime}};

fn threads() {
    let count = Arc::new(AtomicUsize::new(0)); let map = Arc::new(Mutex::new(HashMap::new())); let barrier = Arc::new(Barrier::new(8));
    let many: Vec<_> = (0..8).map(|n| { let (count, map, barrier) = (count.clone(), map.clone(), barrier.clone()); thread::Builder::new().name(format!("worker {}", n)).spawn(move || { for i in 0..1000 { count.fetch_add(1, Ordering::Relaxed); *map.lock().unwrap().entry(i % 10).or_insert(0) += n; } barrier.wait().is_leader() }).unwrap() }).collect();
    let leaders = many.into_iter().map(|t| t.join().unwrap()).filter(|&l| l).count(); println!("{} {} {}", count.load(Ordering::SeqCst), map.lock().unwrap()[&3], leaders);
    let (send, receive) = mpsc::sync_channel(3); for n in 0..4 { let send = send.clone(); thread::spawn(move || for i in 0..50 { send.send(n * 50 + i).unwrap() }); } drop(send); println!("{}", receive.iter().sum::<i32>());
    println!("{:?}", mpsc::channel::<()>().1.recv_timeout(Duration::from_millis(10)).is_err()); println!("{:?}", thread::spawn(|| { if true { panic!("on purpose") } }).join().is_err());
    let pair = Arc::new((Mutex::new(false), Condvar::new())); let other = pair.clone(); thread::spawn(move || { thread::sleep(Duration::from_millis(10)); *other.0.lock().unwrap() = true; other.1.notify_one() }); let mut ready = pair.0.lock().unwrap(); while !*ready { ready = pair.1.wait(ready).unwrap() } println!("{}", *ready);
    let lock = RwLock::new(vec![1, 2, 3]); thread::scope(|s| { s.spawn(|| lock.read().unwrap().len()); s.spawn(|| lock.write().unwrap().push(4)); }); println!("{:?}", lock.read().unwrap()); let start = Instant::now(); thread::sleep(Duration::from_millis(15)); println!("{} {}", start.elapsed() >= Duration::from_millis(10), SystemTime::now() > SystemTime::UNIX_EPOCH);
}
fn processes() -> io::Result<()> {
    let out = Command::new("sh").args(["-c", "echo out; echo err >&2; exit 4"]).output()?; println!("{:?} {:?}", out, String::from_utf8_lossy(&out.stdout));
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?; cat.stdin.take().unwrap().write_all(b"through cat\n")?; let mut s = String::new(); cat.stdout.take().unwrap().read_to_string(&mut s)?; print!("{}", s); println!("{}", cat.wait()?);
    let mut sleep = Command::new("sleep").arg("20").spawn()?; println!("{:?}", sleep.try_wait()?); sleep.kill()?; println!("{:?}", sleep.wait()?.signal()); println!("{:?}", Command::new("/nonexistent").spawn().map(|_| ()).map_err(|e| e.kind())); println!("{}", Command::new("sh").arg0("other").args(["-c", "test $0 = other"]).env_clear().current_dir("/").status()?); Ok(())
}
fn files() -> io::Result<()> {
    let dir = env::temp_dir().join("rust"); fs::create_dir_all(dir.join("d/e"))?; env::set_current_dir(&dir)?; let mut f = fs::OpenOptions::new().read(true).write(true).create(true).open("a")?; for i in 0..1000 { writeln!(f, "line {}", i)?; } f.seek(SeekFrom::Start(0))?; println!("{}", io::BufReader::new(&f).lines().count());
    f.write_at(b"LINE", 0)?; f.set_len(8)?; println!("{:?}", fs::read_to_string("a")?); symlink("a", "l")?; fs::hard_link("a", "h")?; fs::rename("h", "d/h")?; fs::set_permissions("a", fs::Permissions::from_mode(0o640))?; let m = fs::metadata("l")?; println!("{} {} {:o} {}", m.len(), m.nlink(), m.mode(), fs::symlink_metadata("l")?.is_symlink());
    let mut names: Vec<_> = fs::read_dir(".")?.map(|e| e.unwrap().file_name().into_string().unwrap()).collect(); names.sort(); println!("{:?} {}", names, fs::copy("a", "c")?); println!("{:?} {:?}", fs::read("no").unwrap_err().kind(), fs::remove_dir("d").unwrap_err().raw_os_error()); f.sync_all()?; env::set_current_dir("/")?; fs::remove_dir_all(&dir)?; println!("{} {}", dir.exists(), thread::available_parallelism()?.get() > 0); Ok(())
}
fn main() { threads(); processes().unwrap(); files().unwrap(); std::process::exit(0) }
