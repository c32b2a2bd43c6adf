#include "formats/zip.h"

#include <zip.h>

#include <fstream>
#include <memory>

namespace dutybook::formats {

namespace {

constexpr zip_int64_t files_limit = 1000;
constexpr zip_uint64_t bytes_limit = 512ULL << 20;

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

Error bad_archive(const std::filesystem::path& file, const std::string& why) {
    return failure(Code::Malformed, file.string() + " cannot be unpacked", why,
                   "unpack it and give the folder");
}

Result<std::string> bytes_of(zip_t* archive, zip_uint64_t index, zip_uint64_t size,
                             const std::filesystem::path& path) {
    const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive, index, 0));
    if (!file) return bad_archive(path, zip_strerror(archive));
    std::string bytes(size, '\0');
    zip_uint64_t have = 0;
    while (have < size) {
        const zip_int64_t got = zip_fread(file.get(), bytes.data() + have, size - have);
        if (got <= 0) return bad_archive(path, "a file in it is damaged");
        have += static_cast<zip_uint64_t>(got);
    }
    // Reading past the end makes libzip compare the checksum.
    char more = 0;
    if (zip_fread(file.get(), &more, 1) != 0) return bad_archive(path, "a file in it is damaged");
    return bytes;
}

}  // namespace

bool is_zip(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    char head[4] = {};
    in.read(head, sizeof head);
    const std::string_view start(head, static_cast<std::size_t>(in.gcount()));
    return start == "PK\x03\x04" || start == "PK\x05\x06";
}

Result<std::map<std::string, std::string>> read_zip(const std::filesystem::path& file) {
    int code = 0;
    const std::unique_ptr<zip_t, Discard> archive(
        zip_open(file.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (!archive) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const std::string why = zip_error_strerror(&error);
        zip_error_fini(&error);
        return bad_archive(file, why);
    }
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    if (count > files_limit) return bad_archive(file, "it holds over 1,000 files");
    std::map<std::string, std::string> files;
    zip_uint64_t total = 0;
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
        zip_stat_t about;
        zip_stat_init(&about);
        if (zip_stat_index(archive.get(), i, 0, &about) != 0) {
            return bad_archive(file, zip_strerror(archive.get()));
        }
        const std::string name = std::filesystem::path(about.name).filename().string();
        if (name.empty()) continue;  // a folder
        total += about.size;
        if (total > bytes_limit) return bad_archive(file, "it holds over 512 MiB");
        TRY_ASSIGN(files[name], bytes_of(archive.get(), i, about.size, file));
    }
    return files;
}

Result<void> write_zip(const std::filesystem::path& file,
                       const std::map<std::string, std::string>& files) {
    int code = 0;
    std::unique_ptr<zip_t, Discard> archive(
        zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    const auto cannot = [&](const std::string& why) {
        return failure(Code::Io, "cannot write " + file.string(), why);
    };
    if (!archive) return cannot("it cannot be opened for writing");
    for (const auto& [name, text] : files) {
        zip_source_t* const source = zip_source_buffer(archive.get(), text.data(), text.size(), 0);
        if (source == nullptr) return cannot(zip_strerror(archive.get()));
        if (zip_file_add(archive.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) < 0) {
            zip_source_free(source);
            return cannot(zip_strerror(archive.get()));
        }
    }
    if (zip_close(archive.get()) != 0) return cannot(zip_strerror(archive.get()));
    static_cast<void>(archive.release());  // zip_close frees it where it succeeds
    return {};
}

}  // namespace dutybook::formats
