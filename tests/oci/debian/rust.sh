# rustc: with and without optimization, tests in threads, a panic's status and a backtrace.
exec 2>&1
mkdir -p /tmp/rust1 && cd /tmp/rust1
rustc --edition 2021 -o debug /t/main.rs 2>&1 | grep -c error; ./debug; echo $?
rustc --edition 2021 -O -C panic=abort -o release /t/main.rs && ./release | tail -n 2
printf '#[test] fn one() { assert_eq!(1 + 1, 2) }\n#[test] #[should_panic] fn two() { panic!() }\n' >t.rs; rustc --test t.rs 2>/dev/null && ./t 2>&1 | grep -e '^test ' | sort; rustc --test t.rs -C opt-level=3 && ./t -q >/dev/null; echo $?; printf 'fn main() { let v: Vec<i32> = vec![]; println!("{}", v[3]); }' >p.rs; rustc p.rs && ./p; echo $?
