#pragma once
// A client for tests of the server: sends bytes as they are, well-formed or not.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dutybook::test {

struct Answer {
    int status = 0;
    std::string head;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;                            // chunks put together
};

class RawClient {
public:
    static RawClient unix_socket(const std::filesystem::path& path);
    static RawClient tcp(const std::string& address);  // "127.0.0.1:1234"
    RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    RawClient& operator=(RawClient&&) = delete;
    ~RawClient();

    bool connected() const { return fd_ >= 0; }
    // False if the server closed before everything was taken.
    bool send(std::string_view bytes);
    // One answer; nothing if the connection ended or 10 s passed before it was whole.
    std::optional<Answer> read_answer();
    Answer ask(std::string_view bytes);  // send and read_answer; status 0 if none came
    // Text up to and with `mark`, from what has come and what comes within 10 s.
    std::string read_until(std::string_view mark);
    bool closed_by_server();  // within 10 s

private:
    explicit RawClient(int fd);
    bool fill();
    int fd_ = -1;
    std::string buffer_;
};

// A folder that is gone when the test ends.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace dutybook::test
