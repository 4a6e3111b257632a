// Node: files, child processes, worker threads, timers, streams, signals, memory shared between threads.
'use strict';
const fs = require('fs'), fsp = require('fs/promises'), os = require('os'), path = require('path'), cp = require('child_process'), zlib = require('zlib');
const { Worker, isMainThread, parentPort, workerData, MessageChannel } = require('worker_threads');
const { pipeline } = require('stream/promises'), crypto = require('crypto'), util = require('util'), { performance } = require('perf_hooks');

if (process.argv[2] === 'child') {
    process.on('message', m => { process.send(m * 2); process.disconnect() });
    return;
}
if (!isMainThread) {
    const cells = new Int32Array(workerData.shared);
    for (let i = 0; i < 1000; i++) Atomics.add(cells, 0, 1);
    if (workerData.wait) parentPort.postMessage(Atomics.wait(cells, 1, 0, 5000));
    let sum = 0; for (let i = 0; i < 1e6; i++) sum += i % 7;
    parentPort.postMessage(sum);
    return;
}

async function files() {
    const dir = await fsp.mkdtemp(path.join(os.tmpdir(), 'node-')); process.chdir(dir);
    await fsp.writeFile('a', 'text'); await fsp.appendFile('a', ' more'); console.log(await fsp.readFile('a', 'utf8'), (await fsp.stat('a')).size);
    fs.mkdirSync('d/e/f', { recursive: true }); fs.symlinkSync('../a', 'd/l'); fs.linkSync('a', 'd/h'); fs.copyFileSync('a', 'd/c'); console.log(fs.readdirSync('d').sort(), fs.readlinkSync('d/l'), fs.statSync('a').nlink);
    fs.renameSync('d/c', 'd/r'); fs.utimesSync('d/r', 1, 2); console.log(fs.statSync('d/r').mtimeMs, fs.existsSync('d/c')); fs.chmodSync('d/r', 0o600); fs.accessSync('d/r', fs.constants.W_OK); fs.truncateSync('a', 2); console.log(fs.readFileSync('a', 'latin1'));
    for (const f of ['no', 'd/no/x']) try { fs.readFileSync(f) } catch (e) { console.log(e.code, e.syscall) }
    try { fs.rmdirSync('d') } catch (e) { console.log(e.code) }
    const data = crypto.randomBytes(1 << 20); fs.writeFileSync('big', data);
    await pipeline(fs.createReadStream('big'), zlib.createGzip(), fs.createWriteStream('big.gz')); await pipeline(fs.createReadStream('big.gz'), zlib.createGunzip(), fs.createWriteStream('back')); console.log(data.equals(fs.readFileSync('back')));
    const handle = await fsp.open('big', 'r+'); await handle.write('here', 100); console.log((await handle.read(Buffer.alloc(4), 0, 4, 100)).buffer.toString()); await handle.sync(); await handle.close();
    console.log((await Promise.all(Array.from({ length: 100 }, (_, i) => fsp.writeFile('p' + i, String(i)).then(() => fsp.readFile('p' + i, 'utf8'))))).reduce((a, b) => a + +b, 0));
    const watch = fs.watch('d'); const seen = new Promise(done => watch.once('change', (kind, name) => done(kind + ' ' + name))); fs.writeFileSync('d/new', 'x'); console.log(await seen); watch.close();
    fs.rmSync(dir, { recursive: true }); process.chdir('/');
}

async function children() {
    console.log(cp.execSync('echo sync; exit 0').toString().trim(), cp.spawnSync('sh', ['-c', 'echo e >&2; exit 3']).status);
    const cat = cp.spawn('cat'); let out = ''; cat.stdout.on('data', d => out += d); cat.stdin.end('through cat'); console.log(await new Promise(r => cat.on('close', (c, s) => r([out, c, s]))));
    const sleep = cp.spawn('sleep', ['20']); setTimeout(() => sleep.kill(), 20); console.log(await new Promise(r => sleep.on('exit', (c, s) => r([c, s]))));
    console.log(await util.promisify(cp.execFile)('sh', ['-c', 'echo $A'], { env: { A: 'env' } })); cp.spawn('/nonexistent').on('error', e => console.log(e.code)); await new Promise(r => setTimeout(r, 100));
    const fork = cp.fork(__filename, ['child']); fork.send(21); console.log(await new Promise(r => fork.on('message', r)));
    console.log(await util.promisify(cp.exec)('sleep 5', { timeout: 50 }).catch(e => [e.killed, e.signal]));
}

async function workers() {
    const shared = new SharedArrayBuffer(64), cells = new Int32Array(shared);
    const many = Array.from({ length: 4 }, () => new Worker(__filename, { workerData: { shared } })); console.log(await Promise.all(many.map(w => new Promise(r => w.on('message', r))))); await Promise.all(many.map(w => w.terminate())); console.log(cells[0]);
    const waiter = new Worker(__filename, { workerData: { shared, wait: true } }); const got = new Promise(r => waiter.once('message', r)); setTimeout(() => { Atomics.store(cells, 1, 1); Atomics.notify(cells, 1) }, 100); console.log(['ok', 'not-equal'].includes(await got)); await waiter.terminate();
    const broken = new Worker('throw new Error("in a worker")', { eval: true }); console.log(await new Promise(r => broken.on('error', e => r(e.message))));
    const { port1, port2 } = new MessageChannel(); port2.on('message', m => { console.log(m); port2.close() }); port1.postMessage({ a: new Map([[1, 2]]) }); await new Promise(r => port2.on('close', r));
}

async function time() {
    const order = []; setTimeout(() => order.push('timeout'), 5); setImmediate(() => order.push('immediate')); process.nextTick(() => order.push('tick')); Promise.resolve().then(() => order.push('promise')); await new Promise(r => setTimeout(r, 40)); console.log(order);
    const start = performance.now(); await new Promise(r => setTimeout(r, 30)); console.log(performance.now() - start >= 29); let n = 0; await new Promise(r => { const t = setInterval(() => { if (++n == 5) { clearInterval(t); r() } }, 2) }); console.log(n);
    process.once('SIGUSR2', () => console.log('signal')); process.kill(process.pid, 'SIGUSR2'); await new Promise(r => setTimeout(r, 50));
    console.log(crypto.createHash('sha256').update('x'.repeat(1e6)).digest('hex').slice(0, 16), await new Promise(r => crypto.pbkdf2('p', 's', 1000, 16, 'sha1', (e, k) => r(k.toString('hex')))));
    console.log(os.hostname(), os.type(), os.cpus().length > 0, os.totalmem() >= os.freemem(), os.userInfo().username, process.memoryUsage().rss > 1e6, process.hrtime.bigint() > 0n, process.cpuUsage().user > 0, process.title.length > 0);
    const a = []; for (let i = 0; i < 300; i++) a.push(new Array(10000).fill(i)); a.length = 0; if (global.gc) gc(); console.log(v8());
}
const v8 = () => require('v8').getHeapStatistics().total_heap_size > 0;
(async () => { await files(); await children(); await workers(); await time(); console.log('end') })().catch(e => { console.log(e); process.exit(1) });
