/*
 * Structures of Bao's configuration file as Bao's documentation lists them ("Bao Configuration File"): names, types and order of fields.
 * Written for the tests of rtvirt. Images are not linked in: their names are kept, their symbols are placeholders.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned long paddr_t, vaddr_t, cpumap_t, colormap_t, irqid_t, streamid_t;

#define VM_IMAGE(name, path)               \
    const char name##_path[] = path;       \
    char name##_vm_beg, name##_vm_size;
#define VM_IMAGE_OFFSET(name) ((paddr_t)&name##_vm_beg)
#define VM_IMAGE_SIZE(name) ((size_t)&name##_vm_size)
#define VM_IMAGE_BUILTIN(name, at) {.base_addr = (at), .load_addr = VM_IMAGE_OFFSET(name), .size = VM_IMAGE_SIZE(name), .separately_loaded = false}
#define VM_IMAGE_LOADED(at, where, length) {.base_addr = (at), .load_addr = (where), .size = (length), .separately_loaded = true}

struct vm_image {
    vaddr_t base_addr;
    paddr_t load_addr;
    size_t size;
    bool separately_loaded, inplace;
};

struct vm_mem_region {
    paddr_t base;
    size_t size;
    bool place_phys;
    paddr_t phys;
};

struct ipc {
    paddr_t base;
    size_t size, shmem_id, interrupt_num;
    irqid_t *interrupts;
};

struct vm_dev_region {
    paddr_t pa;
    vaddr_t va;
    size_t size, interrupt_num;
    irqid_t *interrupts;
    streamid_t id;
};

struct arch_vm_platform {
#ifdef RISCV
    union {
        struct {
            paddr_t base;
        } plic;
        struct {
            struct {
                paddr_t base;
            } aplic, imsic;
        } aia;
    } irqc;
#else
    struct {
        paddr_t gicd_addr, gicc_addr, gicr_addr;
        size_t interrupt_num;
    } gic;
    struct {
        streamid_t global_mask;
        size_t group_num;
        struct smmu_group {
            streamid_t mask, id;
        } *groups;
    } smmu;
#endif
};

struct vm_platform {
    size_t cpu_num, region_num;
    struct vm_mem_region *regions;
    size_t ipc_num;
    struct ipc *ipcs;
    size_t dev_num;
    struct vm_dev_region *devs;
    bool mmu;
    struct arch_vm_platform arch;
};

struct vm_config {
    struct vm_image image;
    vaddr_t entry;
    cpumap_t cpu_affinity;
    colormap_t colors;
    struct vm_platform platform;
};

struct shmem {
    size_t size;
    colormap_t colors;
    bool place_phys;
    union {
        paddr_t base, phys;
    };
};

extern struct config {
    size_t shmemlist_size;
    struct shmem *shmemlist;
    size_t vmlist_size;
    struct vm_config vmlist[];
} config;
