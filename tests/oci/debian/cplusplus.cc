// C++: threads, futures, exceptions across them, file systems, chrono, regular expressions, atomics with waiting.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <regex>
#include <shared_mutex>
#include <thread>
#include <vector>
namespace fs = std::filesystem;
using namespace std::chrono_literals;

int main()
{
    std::vector<std::future<long>> parts;
    for (int part = 0; part < 8; part++)
        parts.push_back(std::async(std::launch::async, [part] {
            std::vector<long> v(10000);
            std::iota(v.begin(), v.end(), part);
            return std::accumulate(v.begin(), v.end(), 0L);
        }));
    for (auto &part : parts)
        std::cout << part.get() << ' ';
    std::cout << '\n';
    auto broken = std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown in a thread"); });
    try { broken.get(); } catch (const std::exception &e) { std::cout << e.what() << '\n'; }
    std::atomic<int> stage{0};
    std::thread waiter([&] { stage.wait(0); stage = 2; stage.notify_all(); });
    stage = 1; stage.notify_all(); waiter.join();
    std::cout << stage << '\n';
    std::shared_mutex shared; std::map<int, int> table; std::vector<std::jthread> crowd;
    for (int n = 0; n < 6; n++)
        crowd.emplace_back([&, n] { for (int i = 0; i < 300; i++) { if (i % 3) { std::shared_lock l(shared); (void)table.count(i); } else { std::unique_lock l(shared); table[i] += n; } } });
    crowd.clear();
    std::cout << table.size() << ' ' << table[297] << '\n';
    std::mutex m; std::condition_variable_any c; std::jthread stopper([&](std::stop_token token) { std::unique_lock l(m); c.wait(l, token, [] { return false; }); std::cout << "stopped\n"; });
    std::this_thread::sleep_for(10ms); stopper.request_stop(); stopper.join();
    auto begin = std::chrono::steady_clock::now(); std::this_thread::sleep_for(20ms);
    std::cout << (std::chrono::steady_clock::now() - begin >= 20ms) << '\n';
    fs::path dir = fs::temp_directory_path() / "cxx"; fs::create_directories(dir / "a/b"); std::ofstream(dir / "a/f") << "content\n"; fs::copy(dir / "a", dir / "c", fs::copy_options::recursive); fs::create_symlink("a/f", dir / "l");
    std::vector<std::string> names; for (auto &e : fs::recursive_directory_iterator(dir)) names.push_back(e.path().lexically_relative(dir)); std::sort(names.begin(), names.end()); for (auto &n : names) std::cout << n << ' ';
    std::cout << fs::file_size(dir / "a/f") << ' ' << fs::read_symlink(dir / "l") << ' ' << fs::remove_all(dir) << '\n';
    std::error_code ec; fs::file_size("/nonexistent", ec); std::cout << ec.message() << '\n';
    std::mt19937 random(7); std::vector<int> v(100000); std::generate(v.begin(), v.end(), random); std::sort(v.begin(), v.end()); std::cout << v[0] << ' ' << v.back() << '\n';
    std::smatch match; std::string text = "key = value"; std::regex_match(text, match, std::regex(R"((\w+)\s*=\s*(\w+))")); std::cout << match[1] << match[2] << '\n';
    std::cout << (std::random_device{}() != std::random_device{}()) << ' ' << (std::thread::hardware_concurrency() > 0) << '\n';
}
