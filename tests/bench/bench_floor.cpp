// What no store of this kind can be faster than: bare SQLite and zstd over the same rows.
//
//   bench_floor lines JOURNAL OUT           own operations of a stopped daemon, one a line
//   bench_floor durable DB LINES BATCH S    transactions of BATCH rows, WAL and FULL, for S seconds
//   bench_floor bulk DB LINES               all rows in one transaction, WAL and FULL
//   bench_floor pack LINES OUT PLAIN        zstd frames of PLAIN bytes each (0: a single one)
//   bench_floor join PACKED DB              decode, parse, insert, indexes last
//   bench_floor signatures LOG COMMITS      checks each commit's signature, ids one a line
//
// Each prints one JSON object.

#include "base/crypto.h"
#include "store/git_segment.h"
#include "store/sqlite.h"
#include "store/ssh_signature.h"

#include <simdjson.h>
#include <zstd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

using namespace dutybook;

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_floor: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) give_up(result.error().text());
    return std::move(*result);
}
void must(const Result<void>& result) {
    if (!result) give_up(result.error().text());
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) give_up("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

void lines_of_journal(const std::string& journal, const std::string& path) {
    const auto db = must(store::Database::open(journal, store::Database::Mode::Read));
    auto rows = must(db->query("SELECT line FROM operation ORDER BY writer, seq"));
    std::ofstream out(path, std::ios::binary);
    std::size_t count = 0;
    while (must(rows.next())) {
        out << rows.text(0) << '\n';
        ++count;
    }
    if (!out.flush()) give_up("cannot write " + path);
    std::printf("{\"rows\": %zu}\n", count);
}

std::unique_ptr<store::Database> fresh_table(const std::string& path) {
    auto db = must(store::Database::open(path, store::Database::Mode::Create));
    must(
        db->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                   "CREATE TABLE operation(writer INT, seq INT, line TEXT NOT NULL, "
                   "PRIMARY KEY(writer, seq)) WITHOUT ROWID"));
    return db;
}

void print_rows(std::size_t rows, double took) {
    std::printf("{\"rows\": %zu, \"seconds\": %.4f}\n", rows, took);
}

void durable(const std::string& path, const std::string& lines_path, std::size_t batch,
             double most) {
    const std::string text = read_file(lines_path);
    const auto lines = split(text);
    if (lines.empty()) give_up("no rows");
    const auto db = fresh_table(path);
    const double begin = seconds();
    std::size_t row = 0;
    while (seconds() - begin < most) {
        must(db->script("BEGIN IMMEDIATE"));
        for (std::size_t i = 0; i < batch; ++i, ++row)
            must(
                db->run("INSERT INTO operation VALUES(1, ?1, ?2)", row, lines[row % lines.size()]));
        must(db->script("COMMIT"));
    }
    print_rows(row, seconds() - begin);
}

void bulk(const std::string& path, const std::string& lines_path) {
    const std::string text = read_file(lines_path);
    const auto lines = split(text);
    const auto db = fresh_table(path);
    const double begin = seconds();
    must(db->script("BEGIN IMMEDIATE"));
    for (std::size_t row = 0; row < lines.size(); ++row)
        must(db->run("INSERT INTO operation VALUES(1, ?1, ?2)", row, lines[row]));
    must(db->script("COMMIT"));
    print_rows(lines.size(), seconds() - begin);
}

// Level and window of the store's own segments. A frame is preceded by its size, 4 bytes.
std::string compress(std::string_view plain) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 9);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 23);
    std::string frame(ZSTD_compressBound(plain.size()), '\0');
    const auto size =
        ZSTD_compress2(context, frame.data(), frame.size(), plain.data(), plain.size());
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(size)) give_up(ZSTD_getErrorName(size));
    frame.resize(size);
    return frame;
}

void pack(const std::string& lines_path, const std::string& path, std::size_t most) {
    const std::string text = read_file(lines_path);
    std::ofstream out(path, std::ios::binary);
    std::size_t packed = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = most == 0 ? text.size() : std::min(text.size(), at + most);
        if (end < text.size()) end = text.rfind('\n', end) + 1;
        const std::string frame = compress(std::string_view(text).substr(at, end - at));
        const auto size = static_cast<std::uint32_t>(frame.size());
        out.write(reinterpret_cast<const char*>(&size), sizeof size);
        out << frame;
        packed += frame.size();
        at = end;
    }
    if (!out.flush()) give_up("cannot write " + path);
    std::printf("{\"plain\": %zu, \"packed\": %zu}\n", text.size(), packed);
}

struct Sums {
    std::size_t rows = 0;
    double decode = 0, insert = 0;
};

void insert_lines(store::Database& db, std::string_view plain, simdjson::ondemand::parser& parser,
                  Sums& sums) {
    std::string padded(plain);
    padded.reserve(plain.size() + simdjson::SIMDJSON_PADDING);
    for (const std::string_view line : split(padded)) {
        simdjson::ondemand::document document;
        std::int64_t at = 0;
        std::string_view kind, record;
        const auto place = static_cast<std::size_t>(line.data() - padded.data());
        const simdjson::padded_string_view view(line.data(), line.size(),
                                                padded.capacity() - place);
        if (parser.iterate(view).get(document) != simdjson::SUCCESS) give_up("a row is not JSON");
        std::ignore = document["hlc"].at(0).get_int64().get(at);
        std::ignore = document.find_field_unordered("kind").get_string().get(kind);
        std::ignore = document.find_field_unordered("record").get_string().get(record);
        must(db.run("INSERT INTO operation VALUES(?1, ?2, ?3, ?4, ?5)", sums.rows, record, kind, at,
                    line));
        ++sums.rows;
    }
}

void join(const std::string& packed_path, const std::string& path) {
    const std::string packed = read_file(packed_path);
    auto db = must(store::Database::open(path, store::Database::Mode::Create));
    // An index can be made again, so it needs no durability while it is loaded.
    must(
        db->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN; "
                   "CREATE TABLE operation(seq INTEGER PRIMARY KEY, record TEXT, kind TEXT, "
                   "at INT, line TEXT)"));
    Sums sums;
    simdjson::ondemand::parser parser;
    const double begin = seconds();
    for (std::size_t at = 0; at < packed.size();) {
        std::uint32_t size = 0;
        packed.copy(reinterpret_cast<char*>(&size), sizeof size, at);
        at += sizeof size;
        const double start = seconds();
        std::string plain(ZSTD_getFrameContentSize(packed.data() + at, size), '\0');
        const auto done = ZSTD_decompress(plain.data(), plain.size(), packed.data() + at, size);
        if (ZSTD_isError(done)) give_up(ZSTD_getErrorName(done));
        sums.decode += seconds() - start;
        insert_lines(*db, plain, parser, sums);
        at += size;
    }
    must(
        db->script("CREATE INDEX by_record ON operation(record); "
                   "CREATE INDEX by_kind ON operation(kind, at); COMMIT"));
    sums.insert = seconds() - begin - sums.decode;
    std::printf("{\"rows\": %zu, \"decode\": %.4f, \"insert\": %.4f}\n", sums.rows, sums.decode,
                sums.insert);
}

// Seconds in the checks alone, without reading the commits.
void signatures(const std::string& log, const std::string& commits_path) {
    const store::git::Runtime libgit2;
    crypto_start();
    const std::string commits = read_file(commits_path);
    const auto view = must(store::git::View::open(log));
    std::size_t count = 0;
    double took = 0;
    for (const auto id : split(commits)) {
        const auto link = must(store::git::read_link(view, std::string(id)));
        const double begin = seconds();
        const auto key = must(store::signer_of(link.text.signature));
        must(store::verify_signature(link.text.unsigned_bytes, link.text.signature, key));
        took += seconds() - begin;
        ++count;
    }
    print_rows(count, took);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const std::string what = words.empty() ? "" : words[0];
    if (what == "lines" && words.size() == 3) {
        lines_of_journal(words[1], words[2]);
    } else if (what == "durable" && words.size() == 5) {
        durable(words[1], words[2], std::stoul(words[3]), std::stod(words[4]));
    } else if (what == "bulk" && words.size() == 3) {
        bulk(words[1], words[2]);
    } else if (what == "pack" && words.size() == 4) {
        pack(words[1], words[2], std::stoul(words[3]));
    } else if (what == "join" && words.size() == 3) {
        join(words[1], words[2]);
    } else if (what == "signatures" && words.size() == 3) {
        signatures(words[1], words[2]);
    } else {
        give_up("usage: bench_floor lines|durable|bulk|pack|join|signatures ...; see its source");
    }
}
