import { expect, it } from 'vitest';
import { partList } from '../../../src/sources/hardware/part-list.js';
import { dmiSections } from '../../../src/sources/hosts/parse/dmidecode.js';
import { partLines } from '../hardware/part-lines.js';
import { describeRecordings, recordedFiles, recordedText } from '../recordings.js';

const linesOf = (text: string) => {
  const parsed = dmiSections(text);
  if (parsed.kind === 'unreadable') throw new Error(parsed.words);
  return {
    sections: parsed.value.sections,
    parts: partLines(partList('SSH', parsed.value.sections, parsed.value.parts)),
  };
};

/** Each recorded server, part by part. Empty slots, unpopulated sockets and placeholders are nowhere among them. */
const SERVERS: Readonly<Record<string, readonly string[]>> = {
  'Dell_DSS7500.txt': [
    'system bios | Dell Inc. | 2.3.4 | - | - | 11/10/2016',
    'system board | Dell Inc. | 0X89R8 | 4242 | - | -',
    'system system | Dell Inc. | DSS7500 | 4242-SERVICE_TAG | - | -',
    'cpus CPU1 | Intel | Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz | 4242 | - | 10 cores',
    'cpus CPU2 | Intel | Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz | 4242 | - | 10 cores',
    'memory A1 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A2 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A3 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A4 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A5 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A6 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A7 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory A8 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory B1 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory B2 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory B3 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
    'memory B4 | 002C00B3002C | 18ASF2G72PDZ-2G3B1 | 4242 | 16 GiB | 2400 MT/s',
  ],
  'Dell_PowerEdge_M630.txt': [
    'system bios | Dell Inc. | 1.2.5 | - | - | 05/04/2015',
    'system board | Dell Inc. | 0PHY8D | 4242 | - | -',
    'system board (2) | Dell Inc. | - | 4242 | - | -',
    'system system | Dell Inc. | PowerEdge M630 | 4242 | - | -',
    'cpus CPU1 | Intel | Intel(R) Xeon(R) CPU E5-2683 v3 @ 2.00GHz | 4242 | - | 14 cores',
    'cpus CPU2 | Intel | Intel(R) Xeon(R) CPU E5-2683 v3 @ 2.00GHz | 4242 | - | 14 cores',
    'memory A1 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory A2 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory A3 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory A4 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory B1 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory B2 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory B3 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
    'memory B4 | 00CE063200CE | M393A1G43DB0-CPB | 4242 | 8 GiB | 2133 MT/s',
  ],
  'HP_BL460c_Gen10.txt': [
    'system bios | HPE | I41 | - | - | 10/02/2018',
    'system board | HPE | ProLiant BL460c Gen10 | 4242 | - | -',
    'system system | HPE | ProLiant BL460c Gen10 | 4242 | - | -',
    'cpus Proc 1 | Intel(R) Corporation | Intel(R) Xeon(R) Gold 6126 CPU @ 2.60GHz | 4242 | - | 12 cores',
    'cpus Proc 2 | Intel(R) Corporation | Intel(R) Xeon(R) Gold 6126 CPU @ 2.60GHz | 4242 | - | 12 cores',
    'memory PROC 1 DIMM 2 | HPE | 840757-091 | 4242 | 16 GiB | DDR4 2666 MT/s',
    'memory PROC 1 DIMM 3 | HPE | 840757-091 | 4242 | 16 GiB | DDR4 2666 MT/s',
    'memory PROC 2 DIMM 2 | HPE | 840757-091 | 4242 | 16 GiB | DDR4 2666 MT/s',
    'memory PROC 2 DIMM 3 | HPE | 840757-091 | 4242 | 16 GiB | DDR4 2666 MT/s',
  ],
  'HP_BL460c_Gen9.txt': [
    'system bios | HP | I36 | - | - | 10/25/2017',
    'system system | HP | ProLiant BL460c Gen9 | 4242 | - | -',
    'cpus Proc 1 | Intel(R) Corporation | Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz | 4242 | - | 10 cores',
    'cpus Proc 2 | Intel(R) Corporation | Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz | 4242 | - | 10 cores',
    'memory PROC 1 DIMM 1 | HP | 809080-091 | 4242 | 8 GiB | DDR4 2400 MT/s',
    'memory PROC 1 DIMM 3 | HP | 809080-091 | 4242 | 8 GiB | DDR4 2400 MT/s',
    'memory PROC 1 DIMM 8 | HP | 809080-091 | 4242 | 8 GiB | DDR4 2400 MT/s',
    'memory PROC 2 DIMM 1 | HP | 809080-091 | 4242 | 8 GiB | DDR4 2400 MT/s',
    'memory PROC 2 DIMM 3 | HP | 809080-091 | 4242 | 8 GiB | DDR4 2400 MT/s',
    'memory PROC 2 DIMM 8 | HP | 809080-091 | 4242 | 8 GiB | DDR4 2400 MT/s',
  ],
  'HP_DL380p_Gen8.txt': [
    'system bios | HP | P70 | - | - | 07/01/2015',
    'system system | HP | ProLiant DL380p Gen8 | 4242 | - | -',
    'cpus Proc 1 | Intel | Intel(R) Xeon(R) CPU E5-2620 0 @ 2.00GHz | 4242 | - | 6 cores',
    'cpus Proc 2 | Intel | Intel(R) Xeon(R) CPU E5-2620 0 @ 2.00GHz | 4242 | - | 6 cores',
    'memory PROC 1 DIMM 1 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 1 DIMM 4 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 1 DIMM 9 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 1 DIMM 11 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 1 DIMM 12 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 2 DIMM 1 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 2 DIMM 4 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 2 DIMM 9 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
    'memory PROC 2 DIMM 11 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 2 DIMM 12 | HP | 647647-071 | 4242 | 4 GiB | DDR3 1333 MT/s',
  ],
  'HP_ProLiant_BL460c_Gen10_Graphics_Exp.txt': [
    'system bios | HPE | I41 | - | - | 04/18/2019',
    'system board | HPE | ProLiant BL460c Gen10 Graphics Exp | PWWFB0DLMCC0OG | - | -',
    'system system | HPE | ProLiant BL460c Gen10 Graphics Exp | 4242 | - | -',
    'cpus Proc 1 | Intel(R) Corporation | Intel(R) Xeon(R) Gold 6132 CPU @ 2.60GHz | - | - | 14 cores',
    'cpus Proc 2 | Intel(R) Corporation | Intel(R) Xeon(R) Gold 6132 CPU @ 2.60GHz | - | - | 14 cores',
    'memory PROC 1 DIMM 2 | HPE | 840758-091 | - | 32 GiB | DDR4 2666 MT/s',
    'memory PROC 1 DIMM 3 | HPE | 840758-091 | - | 32 GiB | DDR4 2666 MT/s',
    'memory PROC 2 DIMM 2 | HPE | 840758-091 | - | 32 GiB | DDR4 2666 MT/s',
    'memory PROC 2 DIMM 3 | HPE | 840758-091 | - | 32 GiB | DDR4 2666 MT/s',
  ],
  'HP_ProLiant_m710x.txt': [
    'system bios | HP | H07 | - | - | 05/23/2016',
    'system board | HP | ProLiant m710x Server Cartridge | CN66480ANY | - | -',
    'system system | HP | ProLiant m710x Server Cartridge | CN66480BLA | - | -',
    'cpus Proc 1 | Intel(R) Corporation | Intel(R) Xeon(R) CPU E3-1585L v5 @ 3.00GHz | - | - | 4 cores',
    'memory PROC 1 DIMM 1 | HP | 853289-091 | - | 16 GiB | DDR4 2400 MT/s',
    'memory PROC 1 DIMM 2 | HP | 853289-091 | - | 16 GiB | DDR4 2400 MT/s',
    'memory PROC 1 DIMM 3 | HP | 853289-091 | - | 16 GiB | DDR4 2400 MT/s',
    'memory PROC 1 DIMM 4 | HP | 853289-091 | - | 16 GiB | DDR4 2400 MT/s',
  ],
  'HP_SL4540_Gen8.txt': [
    'system bios | HP | P74 | - | - | 05/21/2018',
    'system board | HP | - | 4242 | - | -',
    'system system | HP | ProLiant SL4540 Gen8 | 4242 | - | -',
    'cpus Proc 1 | Intel | Intel(R) Xeon(R) CPU E5-2407 v2 @ 2.40GHz | 4242 | - | 4 cores',
    'cpus Proc 2 | Intel | Intel(R) Xeon(R) CPU E5-2407 v2 @ 2.40GHz | 4242 | - | 4 cores',
    'memory PROC 1 DIMM 2 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 1 DIMM 4 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 1 DIMM 5 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 1 DIMM 6 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 2 DIMM 2 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 2 DIMM 4 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 2 DIMM 5 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
    'memory PROC 2 DIMM 6 | HP | 713756-081 | 4242 | 16 GiB | DDR3 1600 MT/s',
  ],
  'QCT_X10E-9N.txt': [
    'system bios | American Megatrends Inc. | S3E_3B09.02 | - | - | 02/23/2018',
    'system board | Quanta Cloud Technology Inc. | S3E-MB | CQ571000415 | - | -',
    'system system | Quanta Cloud Technology Inc. | QuantaMicro X10E-9N | QTFCQ57140285 | - | -',
    'cpus CPU | Intel(R) Corporation | Intel(R) Xeon(R) CPU E3-1240 v6 @ 3.70GHz | - | - | 4 cores',
    'memory DIMM A0 | Samsung | M391A2K43BB1-CPB | 328CBA1D | 16 GiB | DDR4 2133 MT/s',
    'memory DIMM B0 | Samsung | M391A2K43BB1-CPB | 328CB9DF | 16 GiB | DDR4 2133 MT/s',
  ],
  'SM_SSG-6028R.txt': [
    'system bios | American Megatrends Inc. | 2.0b | - | - | 05/02/2017',
    'system board | Supermicro | X10DRH-iT | NM175S004964 | - | -',
    'system system | Supermicro | SSG-6028R-OSD072P | S212101X7A18218 | - | -',
    'cpus SOCKET 0 | Intel | Intel(R) Xeon(R) CPU E5-2620 v4 @ 2.10GHz | - | - | 8 cores',
    'memory P1_DIMMA1 | Samsung | M393A2G40DB0-CPB | 18ABE4AE | 16 GiB | DDR4 2133 MT/s',
    'memory P1_DIMMB1 | Samsung | M393A2G40DB0-CPB | 18ABAD5A | 16 GiB | DDR4 2133 MT/s',
    'memory P1_DIMMC1 | Samsung | M393A2G40DB0-CPB | 18ABE140 | 16 GiB | DDR4 2133 MT/s',
    'memory P1_DIMMD1 | Samsung | M393A2G40DB0-CPB | 18ABE142 | 16 GiB | DDR4 2133 MT/s',
  ],
  'SM_SYS-6018R.txt': [
    'system bios | American Megatrends Inc. | 2.0b | - | - | 04/14/2017',
    'system board | Supermicro | X10DRD-LTP | ZM152S007866 | - | -',
    'system system | Supermicro | SYS-6018R-TDTPR | A177950X7709591 | - | -',
    'cpus CPU1 | Intel | Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz | - | - | 10 cores',
    'cpus CPU2 | Intel | Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz | - | - | 10 cores',
    'memory P1-DIMMA1 | SK Hynix | HMA42GR7AFR4N-UH | 2AA5B8E9 | 16 GiB | DDR4 2400 MT/s',
    'memory P1-DIMMB1 | SK Hynix | HMA42GR7AFR4N-UH | 2AA5B923 | 16 GiB | DDR4 2400 MT/s',
    'memory P2-DIMME1 | SK Hynix | HMA42GR7AFR4N-UH | 2AA5B88C | 16 GiB | DDR4 2400 MT/s',
    'memory P2-DIMMF1 | SK Hynix | HMA42GR7AFR4N-UH | 2AA5B86B | 16 GiB | DDR4 2400 MT/s',
  ],
  'SYS-5039MS-H12TRF-OS012.txt': [
    'system bios | American Megatrends Inc. | 2.2 | - | - | 05/16/2018',
    'system board | Supermicro | X11SSE-F | ZM169S040205 | - | -',
    'system system | Supermicro | SYS-5039MS-H12TRF-OS012 | E235735X6B01665 | - | -',
    'cpus CPU | Intel(R) Corporation | Intel(R) Xeon(R) CPU E3-1245 v5 @ 3.50GHz | - | - | 4 cores',
    'memory DIMMA2 | Micron | 18ADF2G72AZ-2G3B1 | 13DA8BB7 | 16 GiB | DDR4 2400 MT/s',
    'memory DIMMB2 | Micron | 18ADF2G72AZ-2G3B1 | 13DA8C08 | 16 GiB | DDR4 2400 MT/s',
  ],
  'unknown.txt': [
    'system bios | Online Labs | 00.00.00.0007 | - | - | 03/04/2016',
    'system board | Online Labs | SR | 42 | - | -',
    'system system | Online Labs | SR | 42 | - | -',
    'cpus CPU0 | Intel(R) Corporation | Intel(R) Atom(TM) CPU C2750 @ 2.40GHz | - | - | 8 cores',
    'memory BANK 0 DIMM0 | Micron | DVM64453C DATARAM | 23115200 | 8 GiB | DDR3 1600 MT/s',
    'memory BANK 0 DIMM1 | Micron | DVM64453C DATARAM | 23115200 | 8 GiB | DDR3 1600 MT/s',
    'memory BANK 1 DIMM0 | Micron | DVM64453C DATARAM | 00001639 | 8 GiB | DDR3 1600 MT/s',
    'memory BANK 1 DIMM1 | Micron | DVM64453C DATARAM | 23115200 | 8 GiB | DDR3 1600 MT/s',
  ],
};

describeRecordings('dmidecode of real servers', () => {
  it.each(Object.entries(SERVERS))('%s', (file, parts) => {
    expect(linesOf(recordedText(`netbox-agent-dmidecode/${file}`))).toEqual({
      sections: ['system', 'cpus', 'memory'],
      parts,
    });
  });

  it('is every recorded one', () => {
    const texts = recordedFiles('netbox-agent-dmidecode').filter((file) => file.endsWith('.txt'));
    expect(texts.map((file) => file.split('/')[1])).toEqual(Object.keys(SERVERS));
  });
});

it('a machine whose firmware keeps no tables has none of the sections', () => {
  expect(
    linesOf('# dmidecode 3.4\nScanning /dev/mem for entry point.\n# No SMBIOS nor DMI entry point found, sorry.\n'),
  ).toEqual({
    ...{ sections: [], parts: [] },
  });
});

it('what is no table is said to be none', () => {
  expect(dmiSections('<html>')).toEqual({
    kind: 'unreadable',
    words: 'its answer is no table and begins with "<html>"',
  });
});

it('flash that old firmware lists among the memory modules is no module', () => {
  const device = (handle: number, type: string) =>
    `Handle 0x${handle}, DMI type 17, 40 bytes\nMemory Device\n\tSize: 16 MB\n\tLocator: SLOT ${handle}\n\tType: ${type}\n`;
  expect(linesOf(`# dmidecode 3.4\n${device(1, 'Flash')}\n${device(2, 'DDR5')}`)).toEqual({
    sections: ['memory'],
    parts: ['memory SLOT 2 | - | - | - | 16777216 | DDR5'],
  });
});
