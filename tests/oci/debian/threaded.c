// Threads, mutexes, conditions, barriers, thread-local data, semaphores, cancellation, signals to threads, processes beside them.
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static long counter;
static atomic_long fast;
static int turn;
static _Thread_local int mine;
static pthread_key_t key;
static atomic_int destroyed, handled;

static void destroy(void *value) { destroyed += *(int *)value; }
static void on_signal(int number) { handled += number == SIGUSR1; }

static void *work(void *argument)
{
    static int one = 1;
    mine = (int)(long)argument;
    pthread_setspecific(key, &one);
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        fast++;
    }
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&lock);
    while (turn != mine)
        pthread_cond_wait(&cond, &lock);
    printf("%d ", mine);
    turn++;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    return (void *)(long)(mine * 2);
}

static void cleanup(void *text) { printf("cleanup %s\n", (char *)text); }

static void *forever(void *argument)
{
    pthread_cleanup_push(cleanup, argument);
    for (;;)
        pause();
    pthread_cleanup_pop(1);
    return NULL;
}

static void *give(void *argument)
{
    for (int i = 0; i < 100; i++)
        sem_post(&sem);
    return argument;
}

static sigjmp_buf back;
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %d address %p\n", number, info->si_code, number == SIGSEGV ? info->si_addr : NULL);
    siglongjmp(back, 1);
}

static void processes(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    struct { pthread_mutex_t lock; long n; } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(&shared->lock, &attr);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int k = 0; k < 1000; k++) {
                pthread_mutex_lock(&shared->lock);
                shared->n++;
                pthread_mutex_unlock(&shared->lock);
            }
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    printf("shared %ld\n", shared->n);
    if (fork() == 0) {
        pthread_mutex_lock(&shared->lock);
        _exit(0);
    }
    wait(NULL);
    printf("robust %s\n", strerror(pthread_mutex_lock(&shared->lock)));
    pthread_mutex_consistent(&shared->lock);
    pthread_mutex_unlock(&shared->lock);
}

int main(void)
{
    enum { THREADS = 24 };
    pthread_t threads[THREADS];
    long sum = 0;
    pthread_key_create(&key, destroy);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        assert(!pthread_create(&threads[i], NULL, work, (void *)i));
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert(!pthread_join(threads[i], &result));
        sum += (long)result;
    }
    printf("\n%ld %ld %ld destroyed %d\n", counter, fast, sum, destroyed);
    pthread_t one;
    pthread_create(&one, NULL, forever, "of a cancelled thread");
    pthread_cancel(one);
    void *result;
    pthread_join(one, &result);
    printf("cancelled %d\n", result == PTHREAD_CANCELED);
    sem_init(&sem, 0, 0);
    pthread_create(&one, NULL, give, NULL);
    for (int i = 0; i < 100; i++)
        sem_wait(&sem);
    pthread_join(one, NULL);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) { soon.tv_sec++; soon.tv_nsec -= 1000000000; }
    int failed = sem_timedwait(&sem, &soon) ? errno : 0;
    printf("semaphore %s\n", strerror(failed));
    pthread_mutex_lock(&lock);
    printf("condition %s\n", strerror(pthread_cond_timedwait(&cond, &lock, &soon)));
    pthread_mutex_unlock(&lock);
    signal(SIGUSR1, on_signal);
    pthread_create(&one, NULL, forever, "after signals");
    for (int i = 0; i < 10; i++) {
        pthread_kill(one, SIGUSR1);
        while (handled <= i)
            usleep(1000);
    }
    pthread_cancel(one);
    pthread_join(one, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    if (!sigsetjmp(back, 1))
        *(volatile int *)0x1234 = 1;
    volatile int zero = 0;
    sigaction(SIGILL, &action, NULL);
    if (!sigsetjmp(back, 1))
        printf("%d\n", 1 / zero > 2);
    processes();
    return 0;
}
