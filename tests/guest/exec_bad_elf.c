/*
 * Executables that are not as they should be. Each gives what Linux gives: an errno while the old
 * program still stands, or, after the point of no return, a signal. The images are made here, byte
 * by byte; a good one exits with status 42.
 */
#include "tests/guest/guest.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BASE 0x400000ul

struct image {
    Elf64_Ehdr head;
    Elf64_Phdr segment[3];
    unsigned char code[64];
    char interp[64];
    unsigned char rest[0x2000];
};

static struct image image;

/* How an attempt ended: an errno is negative, else the wait status. */
#define EXITED(code)  ((code) << 8)
#define KILLED(signo) (signo)

static int *child_errno;

/* put_exit() - code at p that exits with this status */
static void put_exit(unsigned char *p, unsigned char status)
{
    static const unsigned char text[] = {0xbf, 0, 0, 0, 0,          /* mov $status, %edi */
                                         0xb8, 231, 0, 0, 0,        /* mov $exit_group, %eax */
                                         0x0f, 0x05, 0x0f, 0x0b};   /* syscall; ud2 */

    memcpy(p, text, sizeof(text));
    p[1] = status;
}

/* make_good() - reset the image to one that runs */
static void make_good(void)
{
    memset(&image, 0, sizeof(image));
    memcpy(image.head.e_ident, ELFMAG, SELFMAG);
    image.head.e_ident[EI_CLASS] = ELFCLASS64;
    image.head.e_ident[EI_DATA] = ELFDATA2LSB;
    image.head.e_ident[EI_VERSION] = EV_CURRENT;
    image.head.e_type = ET_EXEC;
    image.head.e_machine = EM_X86_64;
    image.head.e_version = EV_CURRENT;
    image.head.e_entry = BASE + offsetof(struct image, code);
    image.head.e_phoff = offsetof(struct image, segment);
    image.head.e_ehsize = sizeof(Elf64_Ehdr);
    image.head.e_phentsize = sizeof(Elf64_Phdr);
    image.head.e_phnum = 1;
    image.segment[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_X,
                                    .p_vaddr = BASE,
                                    .p_filesz = sizeof(image),
                                    .p_memsz = sizeof(image),
                                    .p_align = 4096};
    put_exit(image.code, 42);
}

/* write_image() - the image's first size bytes, as an executable file */
static void write_image(const char *path, size_t size)
{
    int fd = (int)REQUIRE_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));

    REQUIRE(write(fd, &image, size) == (ssize_t)size);
    close(fd);
}

/* outcome_of() - execute a file in a child. Return: see EXITED, KILLED */
static int outcome_of(const char *path)
{
    const char *args[] = {"bad", NULL};
    int status;
    pid_t pid;

    if (!child_errno)
        child_errno = guest_shared(4096);
    *child_errno = 0;
    IN_CHILD(pid) {
        alarm(10);
        SYS(execve, path, args, NULL);
        *child_errno = errno;
        _exit(99);
    }
    status = guest_wait(pid);
    return status == EXITED(99) && *child_errno ? -*child_errno : status & 0xff7f;
}

static int outcome(void)
{
    write_image("image", sizeof(image));
    return outcome_of("image");
}

/* survived() - whether an attempt ended in any of the ways in which a bad image may end */
static bool survived(int result)
{
    return result < 0 || result == EXITED(42) || result == KILLED(SIGSEGV) ||
           result == KILLED(SIGBUS) || result == KILLED(SIGILL) || result == KILLED(SIGKILL) ||
           result == KILLED(SIGTRAP);
}

TEST(good_image, "execve")
{
    guest_scratch();
    make_good();
    EXPECT_EQ(outcome(), EXITED(42));
}

TEST(good_pie, "execve")
{
    guest_scratch();
    make_good();
    image.head.e_type = ET_DYN;
    image.segment[0].p_vaddr = 0;
    image.head.e_entry = offsetof(struct image, code);
    EXPECT_EQ(outcome(), EXITED(42));
}

TEST(bss_is_zeroed, "execve")
{
    /* Exits 42 if the words at BASE + 0x1ff8 (after filesz) and two pages on are both 0. */
    static const unsigned char text[] = {
        0x48, 0x8b, 0x04, 0x25, 0xf8, 0x1f, 0x40, 0x00, /* mov 0x401ff8, %rax */
        0x48, 0x0b, 0x04, 0x25, 0xf8, 0x3f, 0x40, 0x00, /* or 0x403ff8, %rax */
        0x48, 0x85, 0xc0,                               /* test %rax, %rax */
        0x74, 0x02, 0x0f, 0x0b,                         /* jz +2; ud2 */
    };

    guest_scratch();
    make_good();
    memset(image.rest, 0xaa, sizeof(image.rest));
    memcpy(image.code, text, sizeof(text));
    put_exit(image.code + sizeof(text), 42);
    image.segment[0].p_flags = PF_R | PF_W | PF_X;
    image.segment[0].p_filesz = 0x1800;
    image.segment[0].p_memsz = 0x5000;
    EXPECT_EQ(outcome(), EXITED(42));
    /* What the file has there is really not zero. */
    image.segment[0].p_filesz = 0x2000;
    EXPECT_EQ(outcome(), KILLED(SIGILL));
}

TEST(truncated, "execve:ENOEXEC")
{
    static const size_t sizes[] = {0, 1, 4, 16, 20, 52, 63};

    guest_scratch();
    make_good();
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        write_image("image", sizes[i]);
        EXPECT_EQ(outcome_of("image"), -ENOEXEC);
    }
    /* The header alone, or half a table of segments. */
    write_image("image", sizeof(Elf64_Ehdr));
    EXPECT_EQ(outcome_of("image"), -ENOEXEC);
    write_image("image", sizeof(Elf64_Ehdr) + 20);
    EXPECT_EQ(outcome_of("image"), -ENOEXEC);
}

TEST(truncated_code, "execve")
{
    guest_scratch();
    make_good();
    /* The file's last page is zeros past its end, and whole pages past it are SIGBUS. */
    write_image("image", offsetof(struct image, code));
    EXPECT_EQ(outcome_of("image"), KILLED(SIGSEGV));
    image.head.e_entry = BASE + 0x1800;
    write_image("image", 0x300);
    EXPECT_EQ(outcome_of("image"), KILLED(SIGBUS));
}

TEST(wrong_ident, "execve:ENOEXEC")
{
    guest_scratch();
    make_good();
    image.head.e_ident[0] = 0x7e;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_machine = EM_AARCH64;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_type = ET_REL;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_type = ET_CORE;
    EXPECT_EQ(outcome(), -ENOEXEC);
}

TEST(wrong_table, "execve:ENOEXEC")
{
    guest_scratch();
    make_good();
    image.head.e_phentsize = 32;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_phnum = 0;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_phnum = 65535;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_phoff = sizeof(image) + 4096;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_phoff = 0x7fffffffffffff00;
    EXPECT_EQ(outcome(), -ENOEXEC);
    make_good();
    image.head.e_phoff = ~0ul;
    EXPECT_EQ(outcome(), -ENOEXEC);
}

TEST(ignored_fields, "execve")
{
    guest_scratch();
    make_good();
    image.head.e_ehsize = 9999;
    image.head.e_shoff = ~0ul;
    image.head.e_shnum = 65535;
    image.head.e_shstrndx = 77;
    image.head.e_flags = ~0u;
    image.head.e_version = 9;
    EXPECT_EQ(outcome(), EXITED(42));
}

TEST(no_segments, "execve")
{
    guest_scratch();
    make_good();
    image.segment[0].p_type = PT_NOTE;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
}

TEST(entry_nowhere, "execve")
{
    static const unsigned long entries[] = {0, 1, 0x10000, BASE - 1, 0x7ffffffff000, 1ul << 47,
                                            0x8000000000000000, ~0ul};

    guest_scratch();
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        make_good();
        image.head.e_entry = entries[i];
        EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    }
}

TEST(segment_not_executable, "execve")
{
    guest_scratch();
    make_good();
    image.segment[0].p_flags = PF_R | PF_W;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    image.segment[0].p_flags = 0;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
}

TEST(absurd_sizes, "execve")
{
    guest_scratch();
    make_good();
    image.segment[0].p_memsz = 0x100;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    make_good();
    image.segment[0].p_memsz = 1ul << 47;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    make_good();
    image.segment[0].p_memsz = ~0ul;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    make_good();
    image.segment[0].p_filesz = image.segment[0].p_memsz = 1ul << 47;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    make_good();
    image.segment[0].p_filesz = image.segment[0].p_memsz = ~0ul;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
}

TEST(absurd_addresses, "execve")
{
    static const unsigned long addresses[] = {0x7ffffffff000, 0x7fffffffe000, 1ul << 47,
                                              0xffffffff80000000, 0xfffffffffffff000};

    guest_scratch();
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        make_good();
        image.segment[0].p_vaddr = addresses[i];
        EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    }
}

TEST(misaligned, "execve")
{
    guest_scratch();
    make_good();
    /* Address and offset differ modulo a page. */
    image.segment[0].p_offset = 0x10;
    EXPECT_EQ(outcome(), KILLED(SIGSEGV));
    make_good();
    image.segment[0].p_align = 3;
    EXPECT_EQ(outcome(), EXITED(42));
    make_good();
    image.segment[0].p_align = 1ul << 63;
    EXPECT_EQ(outcome(), EXITED(42));
}

TEST(offset_past_file, "execve")
{
    int result;

    guest_scratch();
    make_good();
    image.segment[0].p_offset = 0x100000;
    EXPECT_EQ(outcome(), KILLED(SIGBUS));
    make_good();
    image.segment[0].p_offset = 0x7ffffffffffff000;
    result = outcome();
    EXPECT(result == KILLED(SIGSEGV) || result == KILLED(SIGBUS));
}

TEST(overlapping_segments, "execve")
{
    guest_scratch();
    make_good();
    /* The later one lies on top: its code is at the entry. */
    put_exit(image.rest + 0x1000 - (offsetof(struct image, rest) - offsetof(struct image, code)),
             43);
    image.segment[1] = image.segment[0];
    image.segment[1].p_offset = 0x1000;
    image.segment[1].p_filesz = image.segment[1].p_memsz = 0x1000;
    image.head.e_phnum = 2;
    EXPECT_EQ(outcome(), EXITED(43));
}

TEST(segments_in_reverse, "execve")
{
    guest_scratch();
    make_good();
    image.segment[1] = image.segment[0];
    image.segment[0].p_vaddr = BASE + 0x100000;
    image.head.e_phnum = 2;
    EXPECT_EQ(outcome(), EXITED(42));
}

TEST(segment_at_zero, "execve")
{
    int result;

    guest_scratch();
    make_good();
    image.segment[0].p_vaddr = 0;
    image.head.e_entry = offsetof(struct image, code);
    /* Below mmap_min_addr only CAP_SYS_RAWIO may map. */
    result = outcome();
    EXPECT(result == EXITED(42) || result == KILLED(SIGSEGV) || result == KILLED(SIGKILL));
}

/* with_interp() - give the image an interpreter's path, as long as the caller says */
static void with_interp(const char *path, size_t size)
{
    make_good();
    memcpy(image.interp, path, strlen(path) + 1);
    image.segment[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                                    .p_offset = offsetof(struct image, interp),
                                    .p_filesz = size,
                                    .p_memsz = size};
    image.head.e_phnum = 2;
}

TEST(interp_errors, "execve:ENOENT,EACCES,ENOEXEC,ELIBBAD")
{
    int result;

    guest_scratch();
    with_interp("/no/such/loader", 16);
    EXPECT_EQ(outcome(), -ENOENT);
    with_interp("/", 2);
    EXPECT_EQ(outcome(), -EACCES);
    with_interp("loader", 6);
    EXPECT_EQ(outcome(), -ENOEXEC);
    with_interp("loader", 0);
    EXPECT_EQ(outcome(), -ENOEXEC);
    with_interp("loader", 1);
    EXPECT_EQ(outcome(), -ENOEXEC);
    with_interp("loader", 5000);
    EXPECT_EQ(outcome(), -ENOEXEC);
    with_interp("loader", 7);
    image.segment[1].p_offset = sizeof(image) + 100;
    result = outcome();
    EXPECT(result == -EIO || result == -ENOEXEC);
    guest_make_file("loader", "this is no loader, but it is long enough for an ELF header, or so "
                              "it seems to those who count bytes");
    REQUIRE_OK(chmod("loader", 0755));
    with_interp("loader", 7);
    EXPECT_EQ(outcome(), -ELIBBAD);
    guest_make_file("loader", "short");
    result = outcome();
    EXPECT(result == -EIO || result == -ELIBBAD);
}

TEST(interp_runs, "execve")
{
    guest_scratch();
    make_good();
    image.head.e_type = ET_DYN;
    image.segment[0].p_vaddr = 0;
    image.head.e_entry = offsetof(struct image, code);
    put_exit(image.code, 44);
    write_image("loader", sizeof(image));
    with_interp("loader", 7);
    EXPECT_EQ(outcome(), EXITED(44));
    /* A loader that is itself broken. */
    make_good();
    image.head.e_type = ET_DYN;
    image.segment[0].p_vaddr = 0;
    image.head.e_phnum = 0;
    write_image("loader", sizeof(image));
    with_interp("loader", 7);
    EXPECT_EQ(outcome(), -ELIBBAD);
}

TEST(pie_overlaps_itself, "execve")
{
    int result;

    guest_scratch();
    make_good();
    image.head.e_type = ET_DYN;
    image.segment[0].p_vaddr = 0;
    image.segment[1] = image.segment[0];
    image.segment[1].p_vaddr = 0x7f0000000000;
    image.head.e_entry = offsetof(struct image, code);
    image.head.e_phnum = 2;
    result = outcome();
    EXPECT(survived(result));
    image.segment[1].p_vaddr = ~0xffful;
    result = outcome();
    EXPECT(survived(result));
    EXPECT_NE(result, EXITED(42));
}

TEST_SLOW(random_headers, 120, "execve")
{
    unsigned char *bytes = (unsigned char *)&image;
    unsigned int seed = 12345;

    guest_scratch();
    for (int round = 0; round < 400; round++) {
        int result;

        make_good();
        for (int n = 0; n < 1 + round % 4; n++) {
            size_t at;

            seed = seed * 1103515245 + 12345;
            at = (seed >> 8) % (offsetof(struct image, code));
            seed = seed * 1103515245 + 12345;
            bytes[at] = (unsigned char)(round % 3 ? seed >> 16 : 0xff);
        }
        result = outcome();
        if (!survived(result)) {
            guest_diag("round %d", round);
            EXPECT_EQ(result, 0);
        }
    }
    make_good();
    EXPECT_EQ(outcome(), EXITED(42));
}
