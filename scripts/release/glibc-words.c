/*
 * What Debian's libstdc++ and libgcc take from glibc and musl does not have, so that they can stand in for Alpine's where an
 * executable for musl is tried. Nothing of it is in a release.
 */
typedef unsigned long size_t;

char __libc_single_threaded = 0;
struct {
  unsigned vendor, type, subtype, features[1];
} __cpu_model;

int __cpu_indicator_init(void) { return 0; }
unsigned arc4random(void) { return 4; }
/* Threads of a program that is about to end have nothing to tidy up. */
int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *handle) { return 0; }
/* Not found: exceptions, which the runtime is built without, would end the program. */
int _dl_find_object(void *address, void *result) { return -1; }

unsigned long getauxval(unsigned long type);
unsigned long __getauxval(unsigned long type) { return getauxval(type); }
size_t strftime_l(char *to, size_t room, const char *format, const void *time, void *locale);
size_t __strftime_l(char *to, size_t room, const char *format, const void *time, void *locale) {
  return strftime_l(to, room, format, time, locale);
}
