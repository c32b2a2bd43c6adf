#include "base/sealed_file.h"

#include "base/crypto.h"
#include "base/json.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dutybook {

namespace {

constexpr int format = 1;
constexpr std::size_t chunk_size = 64 * 1024;
constexpr std::size_t salt_size = 16;
constexpr std::size_t extra = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t header_size = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
// What opening a foreign file may cost at most.
constexpr std::uint64_t most_memory = 1ull << 30, most_operations = 16;

using Stream = crypto_secretstream_xchacha20poly1305_state;

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

Error system_error(const std::string& what, const fs::path& path) {
    const int number = errno;
    const bool full = number == ENOSPC || number == EDQUOT;
    return failure(full               ? Code::Full
                   : number == ENOENT ? Code::NotFound
                                      : Code::Io,
                   what + " " + path.string(), std::strerror(number),
                   full ? "make room on that disk" : "");
}

std::string check_of(const Secret& key) {
    return base64(key.derive("dutybook sealed file check").bytes().substr(0, 8));
}

std::string first_line(const std::string& kind) {
    return "dutybook " + kind + " " + std::to_string(format) + "\n";
}

}  // namespace

struct SealedFileWriter::State {
    fs::path target;
    std::string temporary;
    File file;
    Stream stream{};
    std::string authenticated;  // with the first chunk only
    std::string waiting;        // less than a chunk
    std::uint64_t written = 0;

    ~State() {
        sodium_memzero(&stream, sizeof stream);
        if (!temporary.empty()) ::unlink(temporary.c_str());
    }

    Result<void> put(std::string_view bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
            return system_error("cannot write", temporary);
        }
        written += bytes.size();
        return {};
    }

    Result<void> put_chunk(std::string_view plain, unsigned char tag) {
        std::string sealed(plain.size() + extra, '\0');
        crypto_secretstream_xchacha20poly1305_push(&stream, raw(sealed), nullptr, raw(plain),
                                                   plain.size(), raw(authenticated),
                                                   authenticated.size(), tag);
        authenticated.clear();
        return put(sealed);
    }
};

SealedFileWriter::SealedFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedFileWriter::SealedFileWriter(SealedFileWriter&&) noexcept = default;
SealedFileWriter& SealedFileWriter::operator=(SealedFileWriter&&) noexcept = default;
SealedFileWriter::~SealedFileWriter() = default;

Result<SealedFileWriter> SealedFileWriter::create(const fs::path& target, const std::string& kind,
                                                  std::string_view passphrase,
                                                  const PassphraseCost& cost) {
    crypto_start();
    const std::string salt(Secret::random().bytes().substr(0, salt_size));
    TRY_ASSIGN(const Secret key, secret_from_passphrase(passphrase, salt, cost));
    auto state = std::make_unique<State>();
    state->target = fs::absolute(target);
    std::string name = state->target.string() + ".new-XXXXXX";
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return system_error("cannot create", name);
    state->temporary = name;
    state->file.reset(::fdopen(fd, "wb"));
    state->authenticated = first_line(kind) +
                           canonical({{"check", check_of(key)},
                                      {"kdf", "argon2id"},
                                      {"memory", cost.memory},
                                      {"operations", cost.operations},
                                      {"salt", base64(salt)}}) +
                           "\n";
    std::string header(header_size, '\0');
    crypto_secretstream_xchacha20poly1305_init_push(&state->stream, raw(header), key.data());
    TRY(state->put(state->authenticated));
    TRY(state->put(header));
    return SealedFileWriter(std::move(state));
}

Result<void> SealedFileWriter::write(std::string_view bytes) {
    auto& waiting = state_->waiting;
    while (!bytes.empty()) {
        const std::size_t taken = std::min(bytes.size(), chunk_size - waiting.size());
        waiting.append(bytes.substr(0, taken));
        bytes.remove_prefix(taken);
        if (waiting.size() < chunk_size) break;
        TRY(state_->put_chunk(waiting, 0));
        waiting.clear();
    }
    return {};
}

Result<void> SealedFileWriter::finish() {
    TRY(state_->put_chunk(state_->waiting, crypto_secretstream_xchacha20poly1305_TAG_FINAL));
    std::FILE* const file = state_->file.get();
    if (std::fflush(file) != 0 || ::fsync(::fileno(file)) != 0) {
        return system_error("cannot write", state_->temporary);
    }
    if (::rename(state_->temporary.c_str(), state_->target.c_str()) != 0) {
        return system_error("cannot put in place", state_->target);
    }
    state_->temporary.clear();
    return sync_directory(state_->target.parent_path());
}

std::uint64_t SealedFileWriter::bytes() const {
    return state_->written;
}

struct SealedFileReader::State {
    fs::path path;
    File file;
    Stream stream{};
    std::string authenticated;
    std::string waiting;
    std::size_t taken = 0;  // of `waiting`
    std::uint64_t position = 0, size = 0;
    bool final = false;

    ~State() { sodium_memzero(&stream, sizeof stream); }

    Error damaged(const std::string& what) const {
        return failure(Code::Corrupt, path.string() + " is damaged", what, "use another copy");
    }

    Result<std::string> get(std::size_t most) {
        std::string bytes(most, '\0');
        bytes.resize(std::fread(bytes.data(), 1, most, file.get()));
        if (std::ferror(file.get()) != 0) return system_error("cannot read", path);
        position += bytes.size();
        return bytes;
    }

    Result<void> next_chunk() {
        const std::uint64_t begin = position;
        TRY_ASSIGN(const std::string sealed, get(chunk_size + extra));
        if (sealed.size() < extra) {
            return damaged("it is cut off at byte " + std::to_string(position));
        }
        waiting.assign(sealed.size() - extra, '\0');
        taken = 0;
        unsigned char tag = 0;
        if (crypto_secretstream_xchacha20poly1305_pull(
                &stream, raw(waiting), nullptr, &tag, raw(sealed), sealed.size(),
                raw(authenticated), authenticated.size()) != 0) {
            const bool cut = position == size && sealed.size() < chunk_size + extra;
            return damaged("bytes " + std::to_string(begin) + " to " + std::to_string(position) +
                           " are not what was written" + (cut ? ", or it is cut off there" : ""));
        }
        authenticated.clear();
        final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
        if (final && position != size) {
            return damaged("bytes follow its end at " + std::to_string(position));
        }
        return {};
    }

    // The two lines at the beginning, as they stand.
    Result<std::string> get_line() {
        std::string line;
        for (int c = 0; line.size() < 4096 && (c = std::fgetc(file.get())) != EOF;) {
            line += static_cast<char>(c);
            ++position;
            if (c == '\n') return line;
        }
        return damaged("its first lines are not what Dutybook writes");
    }
};

SealedFileReader::SealedFileReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedFileReader::SealedFileReader(SealedFileReader&&) noexcept = default;
SealedFileReader& SealedFileReader::operator=(SealedFileReader&&) noexcept = default;
SealedFileReader::~SealedFileReader() = default;

Result<SealedFileReader> SealedFileReader::open(const fs::path& file, const std::string& kind,
                                                std::string_view passphrase) {
    crypto_start();
    auto state = std::make_unique<State>();
    state->path = file;
    state->file.reset(std::fopen(file.c_str(), "rbe"));
    if (!state->file) return system_error("cannot open", file);
    struct stat info {};
    if (::fstat(::fileno(state->file.get()), &info) == 0) {
        state->size = static_cast<std::uint64_t>(info.st_size);
    }
    TRY_ASSIGN(const std::string first, state->get_line());
    if (first != first_line(kind)) {
        if (first.starts_with("dutybook " + kind + " ")) {
            return failure(Code::NewerFormat, file.string() + " was written by a newer Dutybook",
                           "", "update this one");
        }
        return failure(Code::Corrupt, file.string() + " is no " + kind + " of Dutybook",
                       "its first line is another", "name another file");
    }
    TRY_ASSIGN(const std::string second, state->get_line());
    const auto json = parse_json(second);
    const auto number = [&](const char* name, std::uint64_t most) {
        const bool good = json && json->contains(name) && (*json)[name].is_number_integer();
        const auto value = good ? (*json)[name].get<std::int64_t>() : 0;
        return value > 0 && static_cast<std::uint64_t>(value) <= most
                   ? static_cast<std::uint64_t>(value)
                   : 0;
    };
    const auto text = [&](const char* name) {
        const bool good = json && json->contains(name) && (*json)[name].is_string();
        return good ? (*json)[name].get<std::string>() : std::string();
    };
    const PassphraseCost cost{number("operations", most_operations), number("memory", most_memory)};
    const auto salt = from_base64(text("salt"));
    if (cost.operations == 0 || cost.memory == 0 || !salt || salt->size() != salt_size) {
        return state->damaged("its second line is not what was written");
    }
    TRY_ASSIGN(const Secret key, secret_from_passphrase(passphrase, *salt, cost));
    if (check_of(key) != text("check")) {
        return failure(Code::Forbidden, file.string() + " does not open",
                       "the passphrase is another one, or the file's second line is damaged",
                       "try the passphrase again, or another copy");
    }
    state->authenticated = first + second;
    TRY_ASSIGN(const std::string header, state->get(header_size));
    if (header.size() != header_size || crypto_secretstream_xchacha20poly1305_init_pull(
                                            &state->stream, raw(header), key.data()) != 0) {
        return state->damaged("it is cut off at byte " + std::to_string(state->position));
    }
    return SealedFileReader(std::move(state));
}

Result<std::string> SealedFileReader::read(std::size_t most) {
    auto& state = *state_;
    while (state.taken == state.waiting.size() && !state.final) TRY(state.next_chunk());
    std::string out = state.waiting.substr(state.taken, most);
    state.taken += out.size();
    return out;
}

Result<std::string> SealedFileReader::read_exactly(std::size_t count) {
    std::string out;
    while (out.size() < count) {
        TRY_ASSIGN(const std::string more, read(count - out.size()));
        if (more.empty()) return state_->damaged("it ends too early");
        out += more;
    }
    return out;
}

Result<std::string> SealedFileReader::read_line(std::size_t most) {
    std::string out;
    while (out.size() <= most) {
        TRY_ASSIGN(const std::string one, read_exactly(1));
        if (one == "\n") return out;
        out += one;
    }
    return state_->damaged("a line in it is too long");
}

std::uint64_t SealedFileReader::at() const {
    return state_->position;
}
std::uint64_t SealedFileReader::size() const {
    return state_->size;
}

}  // namespace dutybook
