#pragma once
// A large file under a passphrase, written and read as a stream.
//
//   dutybook <kind> <format>\n
//   {"check":"<base64>","kdf":"argon2id","memory":BYTES,"operations":N,"salt":"<base64>"}\n
//   24 bytes: header of libsodium's secretstream (XChaCha20-Poly1305)
//   chunks of 64 KiB plain text, each 17 bytes longer; the last one is shorter and marked as final
//
// The two lines are authenticated with the first chunk. Every chunk fits only in its place, so
// that a change, a swap or a cut anywhere is found; which chunk it is tells where. "check" is a
// hash of the key, so that a wrong passphrase is told from a damaged file.

#include "base/file.h"
#include "base/keys.h"

#include <cstdio>
#include <memory>

namespace dutybook {

class SealedFileWriter {
public:
    // Writes beside `target`; finish() puts it there. Without finish() nothing is left behind.
    static Result<SealedFileWriter> create(const fs::path& target, const std::string& kind,
                                           std::string_view passphrase,
                                           const PassphraseCost& cost = {});
    SealedFileWriter(SealedFileWriter&&) noexcept;
    SealedFileWriter& operator=(SealedFileWriter&&) noexcept;
    ~SealedFileWriter();

    Result<void> write(std::string_view bytes);
    Result<void> finish();
    std::uint64_t bytes() const;  // of the file so far

private:
    struct State;
    explicit SealedFileWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

class SealedFileReader {
public:
    // Code::Forbidden: another passphrase. Code::Corrupt: not such a file.
    static Result<SealedFileReader> open(const fs::path& file, const std::string& kind,
                                         std::string_view passphrase);
    SealedFileReader(SealedFileReader&&) noexcept;
    SealedFileReader& operator=(SealedFileReader&&) noexcept;
    ~SealedFileReader();

    // The next bytes, at most so many; empty at the end. Code::Corrupt names the bytes of the file
    // that are not what was written.
    Result<std::string> read(std::size_t most);
    // Exactly so many, or Code::Corrupt.
    Result<std::string> read_exactly(std::size_t count);
    Result<std::string> read_line(std::size_t most);  // without its end
    std::uint64_t at() const;                         // bytes of the file read so far
    std::uint64_t size() const;

private:
    struct State;
    explicit SealedFileReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace dutybook
