/* Prints what a compiler has made of a configuration: CONFIG is its file, IMAGES the paths of its images. */
#include <stdio.h>
#include CONFIG

static void lines(const char *what, size_t n, const irqid_t *list)
{
    printf("%s", what);
    for (size_t i = 0; i < n; i++)
        printf(" %lu", list[i]);
    puts("");
}

int main(void)
{
    const char *images[] = {IMAGES};
    for (size_t i = 0; i < config.shmemlist_size; i++) {
        const struct shmem *s = &config.shmemlist[i];
        printf("shmem %zu %d %lu\n", s->size, s->place_phys, s->phys);
    }
    for (size_t i = 0; i < config.vmlist_size; i++) {
        const struct vm_config *vm = &config.vmlist[i];
        const struct vm_platform *p = &vm->platform;
        printf("vm %s %lu %lu %zu %lu %lu\n", images[i], vm->image.base_addr, vm->entry, p->cpu_num, vm->cpu_affinity, vm->colors);
        for (size_t k = 0; k < p->region_num; k++)
            printf("region %lu %zu %d %lu\n", p->regions[k].base, p->regions[k].size, p->regions[k].place_phys, p->regions[k].phys);
        for (size_t k = 0; k < p->ipc_num; k++) {
            printf("ipc %lu %zu %zu\n", p->ipcs[k].base, p->ipcs[k].size, p->ipcs[k].shmem_id);
            lines("bells", p->ipcs[k].interrupt_num, p->ipcs[k].interrupts);
        }
        for (size_t k = 0; k < p->dev_num; k++) {
            printf("dev %lu %lu %zu %lu\n", p->devs[k].pa, p->devs[k].va, p->devs[k].size, p->devs[k].id);
            lines("lines", p->devs[k].interrupt_num, p->devs[k].interrupts);
        }
#ifdef RISCV
        printf("chip %lu\n", p->arch.irqc.plic.base);
#else
        printf("chip %lu %lu %lu\n", p->arch.gic.gicd_addr, p->arch.gic.gicc_addr, p->arch.gic.gicr_addr);
#endif
    }
    return 0;
}
