#include "store/journal_last.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

namespace dutybook::store {
namespace {

constexpr std::size_t file_bytes = 256;  // within one sector, so that it is never half written

std::string text_of(const domain::OperationId& id) {
    const std::string line = id.writer + " " + std::to_string(id.seq) + "\n";
    std::string text = line + "blake2b " + hex(blake2b(line)) + "\n";
    text.resize(std::max(text.size(), file_bytes), '\n');
    return text;
}

}  // namespace

std::string LastAcknowledged::path_of(const std::string& journal) {
    return journal + ".last";
}

Result<std::optional<domain::OperationId>> LastAcknowledged::read(const std::string& journal) {
    const auto text = read_file(path_of(journal), file_bytes);
    if (!text && text.error().code == Code::NotFound) return std::optional<domain::OperationId>{};
    domain::OperationId id;
    if (text) std::istringstream(*text) >> id.writer >> id.seq;
    if (text && text_of(id) == *text) return std::optional<domain::OperationId>{std::move(id)};
    return failure(Code::Corrupt, path_of(journal) + " is not what was written");
}

Result<LastAcknowledged> LastAcknowledged::make(const std::string& journal,
                                                const domain::OperationId& id) {
    std::string path = path_of(journal);
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) TRY(move_aside(path));
    TRY(write_file_atomically(path, text_of(id)));
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return failure(Code::Io, "cannot open " + path, std::strerror(errno));
    return LastAcknowledged(std::move(path), fd);
}

void LastAcknowledged::put(const domain::OperationId& id) const {
    const std::string text = text_of(id);
    if (::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) return;
    log_warning("store", "the last acknowledged operation is not noted",
                {{"file", path_}, {"error", std::strerror(errno)}});
}

LastAcknowledged::LastAcknowledged(LastAcknowledged&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

LastAcknowledged& LastAcknowledged::operator=(LastAcknowledged&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
}

LastAcknowledged::~LastAcknowledged() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace dutybook::store
