#include "store/sqlite_wal.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <vector>

namespace dutybook::store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::uint32_t magic_little = 0x377f0682;
constexpr std::uint32_t magic_big = 0x377f0683;

std::uint32_t big(const char* bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

struct Sum {
    std::uint32_t a = 0, b = 0;
    bool operator==(const Sum&) const = default;

    void add(const char* bytes, std::size_t size, bool big_words) {
        for (std::size_t i = 0; i + 8 <= size; i += 8) {
            a += word(bytes + i, big_words) + b;
            b += word(bytes + i + 4, big_words) + a;
        }
    }
    static std::uint32_t word(const char* bytes, bool big_words) {
        const std::uint32_t value = big(bytes);
        return big_words ? value : __builtin_bswap32(value);
    }
};

struct Header {
    bool sound = false;
    bool big_words = false;
    std::size_t page = 4096;  // if the header is damaged: SQLite's default, which we use
    Sum sum;
    std::string salts;
};

Header read_header(const std::string& bytes) {
    Header header;
    const std::uint32_t magic = big(bytes.data());
    const std::uint32_t page = big(bytes.data() + 8);
    header.big_words = magic == magic_big;
    header.sum.add(bytes.data(), 24, header.big_words);
    const bool sane = page >= 512 && page <= 65536 && (page & (page - 1)) == 0;
    header.sound = (magic == magic_little || magic == magic_big) && sane &&
                   header.sum == Sum{big(bytes.data() + 24), big(bytes.data() + 28)};
    if (header.sound) {
        header.page = page;
        header.salts = bytes.substr(16, 8);
    }
    return header;
}

}  // namespace

Result<WalEnd> check_wal(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string head(header_bytes, '\0');
    if (!file || !file.read(head.data(), header_bytes)) return WalEnd::Whole;
    Header header = read_header(head);

    bool fits = header.sound;
    std::uint64_t number = 0, damaged = 0, commits_behind = 0;
    bool torn = false, unfinished = false;
    std::string frame(frame_header_bytes + header.page, '\0');
    while (file.read(frame.data(), static_cast<std::streamsize>(frame.size()))) {
        ++number;
        const std::string_view salts(frame.data() + 8, 8);
        if (header.salts.empty()) header.salts = salts;
        const bool same_round = salts == header.salts;
        if (fits) {
            header.sum.add(frame.data(), 8, header.big_words);
            header.sum.add(frame.data() + frame_header_bytes, header.page, header.big_words);
            fits = same_round && header.sum == Sum{big(frame.data() + 16), big(frame.data() + 20)};
        }
        if (fits) continue;
        if (damaged == 0) damaged = number;
        if (!same_round) continue;
        const bool commits = big(frame.data() + 4) != 0;
        if (commits) ++commits_behind;
        if (damaged == number) unfinished = true;
        torn = torn || (commits && damaged != number);
    }
    unfinished = unfinished || (damaged == 0 && file.gcount() > 0);
    if (commits_behind < 2) {
        return torn ? WalEnd::Torn : unfinished ? WalEnd::Unfinished : WalEnd::Whole;
    }
    return failure(
        Code::Corrupt, path + " is damaged at frame " + std::to_string(damaged),
        std::to_string(commits_behind) + " transactions stand behind the damage and cannot be read",
        "keep a copy of the file; restore the store from a backup or accept the loss "
        "by moving the file away");
}

}  // namespace dutybook::store
